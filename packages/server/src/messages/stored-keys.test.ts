import assert from 'node:assert/strict'
import { test } from 'node:test'
import { script } from 'colloquy/engines'
import { runItem } from './batches/run-item.ts'
import { historyOf } from './threads/history.ts'

// V8 may read the second key as another one that it has parsed before: see parseJson().
const input = String.raw`{"h":1,"\n":2}`

test('keys of tool inputs are those that were stored, in batches and in threads', async () => {
  const messages = `[{"role":"user","content":"Hi"},
    {"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"t","input":${input}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1"}]}]`
  const engine = script(['Hello'])
  const params = `{"model":"m","max_tokens":9,"messages":${messages},"tools":[{"name":"t","input_schema":{"type":"object"}}]}`
  const about = { batch: 'b', position: 0, attempts: 1, workspace: 'w', key_id: '', version: '2023-06-01', betas: '[]' }
  const parts = { engine, access: undefined, files: undefined, cache: undefined, models: { find: () => undefined } }
  JSON.parse(String.raw`{"h":1,"\\":2}`)
  const { outcome } = await runItem(
    { ...about, params },
    { ...parts, lenient: true, now: Date.now },
    new AbortController().signal,
  )
  assert.equal(outcome, 'succeeded')
  for (const found of [engine.requests[0]!.params.messages, historyOf([messages])]) {
    const [call] = found[1]!.content as { input: object }[]
    assert.deepEqual(Object.keys(call!.input), ['h', '\n'])
  }
})
