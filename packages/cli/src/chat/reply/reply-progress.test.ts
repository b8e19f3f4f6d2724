import assert from 'node:assert/strict'
import test from 'node:test'
import type { MessageStreamEvent } from 'colloquy/protocol'
import { ReplyProgress } from './reply-progress.ts'

const nothingSent = { params: undefined, requestId: undefined, retry: undefined, reading: undefined }

test('status() says how long nothing has arrived, before the first token and in the middle of a reply', (t) => {
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const progress = new ReplyProgress()
  const at = (ms: number): string[] => {
    now = ms
    return progress.status(nothingSent, false)
  }
  const text: MessageStreamEvent = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'a' } }
  assert.deepEqual(at(3_000), ['waiting 3 s · Esc stops'])
  progress.add(text)
  assert.deepEqual([...at(3_100), ...at(4_900)], [])
  assert.deepEqual(at(7_000), ['waiting 4 s · Esc stops'])
  progress.add(text)
  assert.deepEqual(at(7_500), [])
})

test('status() says how much of the prompt the model has read', (t) => {
  t.mock.method(performance, 'now', () => 4_000)
  const progress = new ReplyProgress()
  const status = (done: number): string[] => progress.status({ ...nothingSent, reading: { done, total: 1_000 } }, false)
  assert.deepEqual(status(454), ['reading the prompt, 45 % · 0 s · Esc stops'])
  assert.deepEqual(status(1_000), ['waiting 0 s · Esc stops'])
})

test('status() says how far the call of a tool has come, until it ends', (t) => {
  t.mock.method(performance, 'now', () => 4_000)
  const progress = new ReplyProgress()
  progress.setCall('files__index 3 of 10')
  assert.deepEqual(progress.status(nothingSent, false), ['files__index 3 of 10 · 0 s · Esc stops'])
  progress.setCall(undefined)
  assert.deepEqual(progress.status(nothingSent, false), ['waiting 0 s · Esc stops'])
})
