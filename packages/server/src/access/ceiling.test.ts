import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUsd } from 'colloquy/protocol'
import { ceilingOf } from './ceiling.ts'

// A token of a prompt for an hour at $6 for a million.
const perToken = fromUsd('0.000006')

function tokensOf(bytes: number, content: unknown[] = [{ type: 'text', text: 'Hey! '.repeat(bytes / 5) }]): bigint {
  const params = { model: 'claude-sonnet-4-6', max_tokens: 0, messages: [{ role: 'user', content }] }
  return ceilingOf(params as never, { bytes, at: Date.UTC(2026, 10, 1), mayCost: () => true }) / perToken
}

test('a budget reserves a token for each byte, three times the estimate, or the longest prompt', () => {
  assert.equal(tokensOf(10_000), 10_000n)
  assert.equal(tokensOf(100_000), 100_000n)
  assert.equal(tokensOf(800_000), 800_000n)
  const words = [{ type: 'text', text: 'blackbird '.repeat(20_000) }]
  assert.equal(tokensOf(200_000, words), 3n * (20_000n * 2n + 4n))
  // A longer prompt is refused, and costs nothing.
  for (const bytes of [2_000_000, 2_999_995, 3_000_000, 30_000_000]) assert.equal(tokensOf(bytes), 1_000_000n)
})
