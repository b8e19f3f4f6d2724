import assert from 'node:assert/strict'
import { test } from 'node:test'
import { costOf, type Usage, type UsageIteration } from 'colloquy/protocol'
import { type LedgerEntry, type RequestOrigin, requestRow, usageOf } from './request-row.ts'

const origin: RequestOrigin = {
  id: 'req_1',
  started_at: Date.UTC(2026, 10, 26),
  workspace: 'default',
  key_id: '',
  user_id: '',
  conversation: '',
  source: 'api',
  path: '/v1/messages',
  engine: '',
  model: 'claude-sonnet-4-6',
}

function entryOf(usage: Usage): LedgerEntry {
  const times = { ttftMs: 1, ms: 2, requestBytes: 3, responseBytes: 4 }
  const ended = { status: 200, stopReason: 'end_turn', isFree: false, attempts: [], aborted: false, error: undefined }
  return { servedModel: 'claude-sonnet-4-6', usage, ...times, ...ended }
}

function call(type: UsageIteration['type'], input: number, output: number, read = 0): UsageIteration {
  return {
    type,
    input_tokens: input,
    output_tokens: output,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: read,
  }
}

const beside = { cache_creation_input_tokens: 0, cache_read_input_tokens: 40 }
const rows: [name: string, usage: Usage, input: number, output: number][] = [
  ['one call', { input_tokens: 10, output_tokens: 20, ...beside }, 10, 20],
  [
    'a compaction, which the counts beside the list leave out',
    {
      input_tokens: 100,
      output_tokens: 20,
      ...beside,
      iterations: [call('compaction', 50_000, 3_000), call('message', 100, 20, 40)],
    },
    50_100,
    3_020,
  ],
  [
    'a list that covers only a part of the prompt',
    { input_tokens: 900, output_tokens: 20, ...beside, iterations: [call('message', 100, 20)] },
    900,
    20,
  ],
]
for (const [name, usage, input, output] of rows)
  test(`requestRow() has the tokens that its cost is made of: ${name}`, () => {
    const row = requestRow(origin, entryOf(usage), { isPriced: true })
    assert.deepEqual([row.input, row.output, row.cache_read], [input, output, 40])
    const at = new Date(origin.started_at)
    assert.equal(row.cost, String(costOf(usage, origin.model, { at })!.picoUsd))
    assert.equal(row.cost, String(costOf(usageOf(row), origin.model, { at })!.picoUsd))
  })

test('requestRow() has the cost 0 for a reply of an engine that is free, whatever its model costs elsewhere', () => {
  const row = requestRow(origin, entryOf({ input_tokens: 10, output_tokens: 20, ...beside }), { isPriced: false })
  assert.deepEqual([row.cost, row.saved, row.price], ['0', '0', null])
})
