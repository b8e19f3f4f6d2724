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

test('a budget reserves all calls that a request can make, and the most if the API chooses the model', () => {
  const at = Date.UTC(2026, 10, 1)
  const messages = [{ role: 'user', content: 'Hi' }]
  const most = (more: object): bigint =>
    ceilingOf({ model: 'claude-sonnet-4-6', max_tokens: 1_000, messages, ...more } as never, {
      bytes: 10_000,
      at,
      mayCost: () => true,
    })
  const alone = most({})
  assert.equal(alone, 10_000n * perToken + 1_000n * fromUsd('0.000015'))
  const opus = most({ fallbacks: [{ model: 'claude-opus-4-6' }] })
  assert.ok(opus > 2n * alone)
  assert.ok(most({ fallbacks: 'default' }) > opus)
  const advisor = { type: 'advisor_20260301', name: 'advisor', model: 'claude-opus-4-6', max_uses: 1, max_tokens: 500 }
  assert.ok(most({ tools: [advisor] }) > 2n * alone)
  assert.throws(() => most({ tools: [{ ...advisor, max_uses: undefined }] }), /an advisor tool without max_uses/)
  assert.equal(most({ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }) - alone, 20n * fromUsd('0.01'))
  assert.equal(most({ inference_geo: 'us' }) * 10n, alone * 11n)
})

test('fields that an upstream will refuse count as if they were not there', () => {
  const params = { model: 'claude-sonnet-4-6', max_tokens: 1_000, messages: [{ role: 'user', content: 'Hi' }] }
  const most = (more: object): bigint =>
    ceilingOf({ ...params, ...more } as never, { bytes: 1_000, at: Date.UTC(2026, 10, 1), mayCost: () => true })
  const alone = most({})
  for (const value of [7, 'x', {}, [7], [null], [{}], true, -1])
    for (const name of ['fallbacks', 'tools', 'context_management', 'speed', 'inference_geo', 'system'])
      assert.ok(most({ [name]: value }) >= alone, `${name}: ${JSON.stringify(value)}`)
})
