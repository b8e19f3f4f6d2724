import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from './id.ts'

test('newId() makes unique ids of the API’s form that sort by time', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2026, 10, 26) })
  const ids: string[] = []
  for (let count = 0; count < 1_000; count++) {
    ids.push(newId('req_01'))
    t.mock.timers.tick(count % 100 === 0 ? 86_400_000 : 1)
  }
  assert.equal(new Set(ids).size, 1_000)
  for (const id of ids) assert.match(id, /^req_01[1-9A-HJ-NP-Za-km-z]{22}$/)
  assert.deepEqual(ids.toSorted(), ids)
  const sameMoment = new Set(Array.from({ length: 1_000 }, () => newId('msg_01')))
  assert.equal(sameMoment.size, 1_000)
})
