import assert from 'node:assert/strict'
import { test } from 'node:test'
import { costOf } from '../../../protocol/models/cost.ts'
import { sumUsage } from './usage.ts'

test('the usage of a resumed reply lists the calls of both responses, each for its own price', () => {
  const usage = { cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
  const first = { ...usage, input_tokens: 60_000, output_tokens: 1 }
  const iterations = [{ ...usage, type: 'message', input_tokens: 60_001, output_tokens: 9 }]
  const second = { ...usage, input_tokens: 60_001, output_tokens: 9, iterations }
  const both = sumUsage(first, second)!
  assert.deepEqual([both.input_tokens, both.output_tokens], [120_001, 10])
  assert.deepEqual(both.iterations, [{ type: 'message', ...first }, ...iterations])
  // Neither prompt is in the price band beyond 100,000 tokens.
  assert.equal(costOf(both, 'claude-haiku-5-5')?.picoUsd, 120_001n * 100_000n + 10n * 500_000n)
  assert.equal(sumUsage(undefined, second), second)
  assert.equal(sumUsage(first, undefined), first)
})
