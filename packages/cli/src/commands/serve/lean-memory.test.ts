import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { getHeapSpaceStatistics } from 'node:v8'
import { beginLeanStart, endLeanStart } from './lean-memory.ts'

test('the young generation stays at 16 MB when much of it survives', async () => {
  beginLeanStart()
  endLeanStart()
  const kept: object[] = []
  for (let round = 0; round < 300; round++) {
    for (let index = 0; index < 5_000; index++) kept.push({ round, index, list: [index] })
    await turn()
  }
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')!
  // One more doubling may begin before the observer is called. Without it there are 64 MB.
  assert.ok(young.space_size < 2.1 * 16 * 1024 * 1024, `it has ${young.space_size} bytes`)
  assert.equal(kept.length, 1_500_000)
})
