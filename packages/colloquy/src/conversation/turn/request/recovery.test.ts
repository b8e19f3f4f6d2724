import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Interruption } from '../../../../../../test/interrupted.ts'
import { memoryStore } from '../../stores/memory/store.ts'
import type { BegunTurn } from '../../stores/store.ts'
import { openRecovered } from './recovery.ts'

test('openRecovered() opens a conversation whose abandoned reply is erased meanwhile', async () => {
  let now = 0
  const store = memoryStore({ now: () => now })
  await store.create({ id: 'one', title: null, settings: '{}', at: 1 })
  const messages = [{ role: 'user', json: '{"role":"user","content":"hi"}' }]
  const begun = (await store.begin({ id: 'one', version: 1, parent: 0, messages, at: 1 })) as BegunTurn
  now = 60_000
  const meanwhile = new Interruption()
  meanwhile.arm(2, () => store.prune('one', begun.version, begun.reply))
  const { conversation, unfinished } = await openRecovered(meanwhile.inCallsOf(store), 'one')
  assert.deepEqual([conversation.head, unfinished], [1, []])
})
