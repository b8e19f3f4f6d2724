import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { addCosts, costOf } from './cost.ts'
import type { Usage, UsageIteration } from '../types/message.ts'
import { lastCallIn } from './token-counts.ts'
import { findModel, models } from './models.ts'

const november = new Date('2026-11-20T12:00:00Z')

test('costOf() prices each bucket of a Sonnet 4.6 request apart', () => {
  const cost = costOf(
    usage({
      input_tokens: 1_000,
      cache_creation_input_tokens: 3_000,
      cache_creation: { ephemeral_5m_input_tokens: 2_000, ephemeral_1h_input_tokens: 1_000 },
      cache_read_input_tokens: 10_000,
      output_tokens: 500,
    }),
    'claude-sonnet-4-6',
    { at: november },
  )
  assert.deepEqual(cost?.parts, {
    input: usd(0.003),
    cacheWrite5m: usd(0.0075),
    cacheWrite1h: usd(0.006),
    cacheRead: usd(0.003),
    output: usd(0.0075),
    serverTools: 0n,
  })
  assert.equal(cost.picoUsd, usd(0.027))
})

test('costOf() prices cache writes without a split as five-minute writes', () => {
  const cost = costOf(usage({ cache_creation_input_tokens: 1_000_000 }), 'claude-opus-5-5', { at: november })
  assert.equal(cost?.parts.cacheWrite5m, usd(5))
})

test('costOf() prices cache writes from a split alone, or one below the total', () => {
  const split = { ephemeral_5m_input_tokens: 1_000_000, ephemeral_1h_input_tokens: 1_000_000 }
  const parts = (used: Partial<Usage>): unknown[] => {
    const { cacheWrite5m, cacheWrite1h } = costOf(usage(used), 'claude-opus-5-5', { at: november })!.parts
    return [cacheWrite5m, cacheWrite1h]
  }
  assert.deepEqual(parts({ cache_creation_input_tokens: null, cache_creation: split }), [usd(5), usd(8)])
  assert.deepEqual(parts({ cache_creation_input_tokens: 3_000_000, cache_creation: split }), [usd(10), usd(8)])
})

test('costOf() reads a missing count as 0, and has no price for a fraction', () => {
  const bare = { output_tokens: 1_000_000 } as Usage
  assert.equal(costOf(bare, 'claude-opus-5-5', { at: november })?.picoUsd, usd(20))
  for (const count of [1.5, -1, Number.NaN, Infinity, '7' as unknown as number]) {
    assert.equal(costOf(usage({ output_tokens: count }), 'claude-opus-5-5', { at: november }), undefined)
    const searches = { web_search_requests: count }
    assert.equal(costOf(usage({ server_tool_use: searches }), 'claude-opus-5-5', { at: november }), undefined)
  }
})

test('costOf() is undefined if no price is known', () => {
  assert.equal(costOf(usage({ input_tokens: 1 }), 'llama-3'), undefined)
  assert.equal(costOf(usage({ input_tokens: 1 }), 'claude-mythos-preview'), undefined)
  assert.equal(costOf(usage({ input_tokens: 1, speed: 'fast' }), 'claude-fable-5-2'), undefined)
  assert.equal(costOf(usage({ input_tokens: 1, speed: 'instant' }), 'claude-fable-5-2'), undefined)
  assert.equal(costOf(usage({ input_tokens: 1 }), 'claude-opus-5-5', { at: new Date('2026-09-21') }), undefined)
})

test('costOf() prices a Haiku 5.5 request in one band by its whole prompt', () => {
  const below = costOf(usage({ input_tokens: 40_000, cache_read_input_tokens: 60_000 }), 'claude-haiku-5-5', {
    at: november,
  })
  const above = costOf(usage({ input_tokens: 40_001, cache_read_input_tokens: 60_000 }), 'claude-haiku-5-5', {
    at: november,
  })
  assert.equal(below?.picoUsd, usd(0.004) + usd(0.0006))
  assert.equal(above?.picoUsd, usd(0.0200005) + usd(0.003))
})

test('costOf() applies the price of the day', () => {
  const read = usage({ cache_read_input_tokens: 1_000_000 })
  assert.equal(costOf(read, 'claude-sonnet-5-5', { at: new Date('2026-10-06T23:59:59Z') })?.picoUsd, usd(0.2))
  assert.equal(costOf(read, 'claude-sonnet-5-5', { at: new Date('2026-10-07T00:00:00Z') })?.picoUsd, usd(0.1))
})

test('costOf() halves batches, doubles fast, adds a tenth in the US, and charges searches flat', () => {
  const million = { input_tokens: 1_000_000 }
  const price = (more: Partial<Usage>): bigint | undefined =>
    costOf(usage({ ...million, ...more }), 'claude-opus-5-5', { at: november })?.picoUsd
  assert.equal(price({}), usd(4))
  assert.equal(price({ service_tier: 'batch' }), usd(2))
  assert.equal(price({ speed: 'fast' }), usd(8))
  assert.equal(price({ inference_geo: 'us' }), usd(4.4))
  assert.equal(price({ service_tier: 'batch', inference_geo: 'us' }), usd(2.2))
  assert.equal(price({ server_tool_use: { web_search_requests: 3 } }), usd(4.03))
  assert.equal(price({ server_tool_use: { web_search_requests: 3 }, service_tier: 'batch' }), usd(2.03))
})

const call = (tokens: Partial<UsageIteration>): UsageIteration => ({
  type: 'message',
  input_tokens: 0,
  output_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  ...tokens,
})

test('costOf() adds compactions, which the totals leave out, to the calls of the reply', () => {
  const iterations = [call({ type: 'compaction', input_tokens: 100_000 }), call({ input_tokens: 100_000 })]
  const cost = costOf(usage({ input_tokens: 100_000, iterations }), 'claude-opus-5-5', { at: november })
  assert.equal(cost?.picoUsd, usd(0.8))
})

test('costOf() prices advice at the rates of the advisor, at standard speed', () => {
  const iterations = [
    call({ input_tokens: 412, output_tokens: 89 }),
    call({ type: 'advisor_message', model: 'claude-fable-5-1', input_tokens: 823, output_tokens: 1_612 }),
    call({ input_tokens: 1_348, cache_read_input_tokens: 412, output_tokens: 442 }),
  ]
  const used = usage({ input_tokens: 412, output_tokens: 531, iterations })
  const own = 1_760n * 4_000_000n + 412n * 200_000n + 531n * 20_000_000n
  const advice = 823n * 10_000_000n + 1_612n * 50_000_000n
  assert.equal(costOf(used, 'claude-opus-5-5', { at: november })?.picoUsd, own + advice)
  assert.equal(costOf({ ...used, speed: 'fast' }, 'claude-opus-5-5', { at: november })?.picoUsd, own * 2n + advice)
  const unknown = [...iterations, call({ type: 'advisor_message', model: 'claude-next' })]
  assert.equal(costOf({ ...used, iterations: unknown }, 'claude-opus-5-5', { at: november }), undefined)
})

test('costOf() prices each attempt of a fallback at the rates of its model', () => {
  const iterations = [
    call({ model: 'claude-fable-5-1', input_tokens: 535, output_tokens: 30 }),
    call({ type: 'fallback_message', model: 'claude-opus-5-5', input_tokens: 412, output_tokens: 264 }),
  ]
  const used = usage({ input_tokens: 412, output_tokens: 264, iterations })
  const expected = 535n * 10_000_000n + 30n * 50_000_000n + 412n * 4_000_000n + 264n * 20_000_000n
  assert.equal(costOf(used, 'claude-opus-5-5', { at: november })?.picoUsd, expected)
})

test('costOf() prices the calls of server tools each in its own band and by its own cache writes', () => {
  const hour = { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 1_441 }
  const fiveMinutes = { ephemeral_5m_input_tokens: 1_652, ephemeral_1h_input_tokens: 0 }
  const iterations = [
    call({ input_tokens: 60_000, cache_creation_input_tokens: 1_441, cache_creation: hour, output_tokens: 5 }),
    call({ input_tokens: 61_000, cache_creation_input_tokens: 1_652, cache_creation: fiveMinutes, output_tokens: 7 }),
  ]
  // The API's sums have the lifetimes of the first call only.
  const sums = { input_tokens: 121_000, cache_creation_input_tokens: 3_093, cache_creation: hour, output_tokens: 12 }
  const { parts } = costOf(usage({ ...sums, iterations }), 'claude-haiku-5-5', { at: november })!
  assert.deepEqual(parts, {
    input: 121_000n * 100_000n,
    cacheWrite5m: 1_652n * 125_000n,
    cacheWrite1h: 1_441n * 200_000n,
    cacheRead: 0n,
    output: 12n * 500_000n,
    serverTools: 0n,
  })
})

test('costOf() counts output that arrived after the last list of calls, and sums that a list does not cover', () => {
  const price = (used: Partial<Usage>): bigint => costOf(usage(used), 'claude-haiku-4-5', { at: november })!.picoUsd
  const listed = [call({ input_tokens: 1_000, output_tokens: 1 })]
  assert.equal(
    price({ input_tokens: 1_000, output_tokens: 50, iterations: listed }),
    1_000n * 1_000_000n + 50n * 5_000_000n,
  )
  assert.equal(price({ input_tokens: 1_500, output_tokens: 1, iterations: listed }), 1_500n * 1_000_000n + 5_000_000n)
  const withoutCounts = [{ type: 'message', model: 'claude-haiku-4-5' } as UsageIteration]
  assert.equal(price({ input_tokens: 7, output_tokens: 1, iterations: withoutCounts }), 7_000_000n + 5_000_000n)
})

test('lastCallIn() is the call whose tokens the window holds', () => {
  const iterations = [
    call({ input_tokens: 100, output_tokens: 5 }),
    call({ input_tokens: 150, output_tokens: 7 }),
    call({ type: 'advisor_message', model: 'claude-fable-5-1', input_tokens: 9_000 }),
  ]
  const used = usage({ input_tokens: 250, output_tokens: 12, iterations })
  assert.deepEqual(lastCallIn(used), iterations[1])
  const plain = usage({ input_tokens: 3 })
  assert.equal(lastCallIn(plain), plain)
  const paused = usage({ iterations: [call({ type: 'compaction', input_tokens: 9_000 })] })
  assert.equal(lastCallIn(paused), paused)
})

test('costOf() resolves aliases, and accepts an entry outside the catalogue', () => {
  const used = usage({ input_tokens: 1_000_000 })
  assert.equal(costOf(used, 'claude-haiku-4-5')?.picoUsd, usd(1))
  const own = { ...findModel('claude-haiku-4-5')!, id: 'my-model', aliases: [] }
  assert.equal(costOf(used, 'my-model', { models: [own] })?.picoUsd, usd(1))
})

test('costOf() prices a compaction in the band of its own prompt', () => {
  const iterations = [call({ type: 'compaction', input_tokens: 100_001 })]
  const cost = costOf(usage({ input_tokens: 100_000, iterations }), 'claude-haiku-5-5', { at: november })
  assert.equal(cost?.picoUsd, usd(0.01) + usd(0.0500005))
})

test('addCosts() without arguments is 0 in every bucket', () => {
  const { picoUsd, parts } = addCosts()
  assert.equal(picoUsd, 0n)
  assert.deepEqual(Object.values(parts), [0n, 0n, 0n, 0n, 0n, 0n])
})

test('costOf() and addCosts() add up exactly', () => {
  const tokens = fc.nat({ max: 2_000_000 })
  const used = fc.record({
    input: tokens,
    write5m: tokens,
    write1h: tokens,
    read: tokens,
    output: tokens,
    us: fc.boolean(),
    batch: fc.boolean(),
  })
  const priced = models.filter((entry) => entry.prices.length > 0)
  fc.assert(
    fc.property(used, used, fc.constantFrom(...priced), (a, b, entry) => {
      const [first, second] = [a, b].map((each) =>
        costOf(
          usage({
            input_tokens: each.input,
            cache_creation_input_tokens: each.write5m + each.write1h,
            cache_creation: { ephemeral_5m_input_tokens: each.write5m, ephemeral_1h_input_tokens: each.write1h },
            cache_read_input_tokens: each.read,
            output_tokens: each.output,
            inference_geo: each.us ? 'us' : 'global',
          }),
          entry,
          { at: november, batch: each.batch },
        ),
      )
      assert.ok(first && second)
      assert.equal(
        Object.values(first.parts).reduce((x, y) => x + y),
        first.picoUsd,
      )
      assert.equal(addCosts(first, second).picoUsd, first.picoUsd + second.picoUsd)
      // One thousandth of a dollar per million tokens, in the US, in a batch: 550 picodollars. Were anything rounded, this would not divide.
      assert.equal(first.picoUsd % 50n, 0n)
    }),
  )
})

function usage(used: Partial<Usage>): Usage {
  return { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0, ...used }
}

function usd(amount: number): bigint {
  return BigInt(Math.round(amount * 1e9)) * 1000n
}
