import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Usage } from '../../protocol/types/message.ts'
import { Ledger } from './ledger.ts'
import { usageOf } from './spending.ts'

const split = { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 20 }

test('Ledger sums cache writes if only their total or only their split is known', () => {
  const told: Pick<Usage, 'cache_creation_input_tokens' | 'cache_creation'>[] = [
    { cache_creation_input_tokens: 120, cache_creation: split },
    { cache_creation_input_tokens: null, cache_creation: split },
    { cache_creation_input_tokens: 120 },
    { cache_creation_input_tokens: 150, cache_creation: split },
  ]
  const sums = told.map((written) => {
    const usage = { input_tokens: 1, ...written, cache_read_input_tokens: 2, output_tokens: 3 }
    const reply = JSON.stringify({ message: { usage }, cost_pico_usd: 0 })
    const { cache_creation_input_tokens: total, cache_creation: writes } = new Ledger([{ reply }]).total
    return [total, writes.ephemeral_5m_input_tokens, writes.ephemeral_1h_input_tokens, usageOf(reply).tokens]
  })
  assert.deepEqual(sums, [
    [120, 100, 20, 126n],
    [120, 100, 20, 126n],
    [120, 120, 0, 126n],
    [150, 130, 20, 156n],
  ])
})
