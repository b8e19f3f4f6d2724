import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CacheUsage, PromptCache } from './prompt-cache.ts'
import type { PromptSegment } from './tokens.ts'

const keys = { tools: 'model', system: '', messages: '' }

function segment(text: string, ttl?: '5m' | '1h', tokens = 1_000): PromptSegment {
  return { level: 'messages', tokens, text, ttl, markable: true }
}

function ask(cache: PromptCache, segments: PromptSegment[], minTokens = 1_000): CacheUsage {
  const plan = cache.plan(segments, { minTokens, keys })
  plan.commit()
  return plan.usage
}

test('PromptCache writes a marked prefix once and then reads it', () => {
  const cache = new PromptCache(() => 0)
  assert.deepEqual(ask(cache, [segment('a', '5m'), segment('b')]), {
    read: 0,
    written5m: 1_000,
    written1h: 0,
    input: 1_000,
  })
  assert.deepEqual(ask(cache, [segment('a', '5m'), segment('c')]), {
    read: 1_000,
    written5m: 0,
    written1h: 0,
    input: 1_000,
  })
})

test('PromptCache misses after a change before the mark', () => {
  const cache = new PromptCache(() => 0)
  ask(cache, [segment('a'), segment('b', '5m')])
  assert.equal(ask(cache, [segment('A'), segment('b', '5m')]).read, 0)
})

test('PromptCache finds an entry at most 20 blocks before the mark', () => {
  const blocks = (count: number): PromptSegment[] => Array.from({ length: count }, (_, index) => segment(`${index}`))
  const marked = (count: number): PromptSegment[] => blocks(count).with(count - 1, segment(`${count - 1}`, '5m'))
  const near = new PromptCache(() => 0)
  ask(near, marked(1))
  assert.equal(ask(near, marked(20)).read, 1_000)
  const far = new PromptCache(() => 0)
  ask(far, marked(1))
  assert.equal(ask(far, marked(21)).read, 0)
})

test('PromptCache does not cache a prefix below the minimum', () => {
  const cache = new PromptCache(() => 0)
  const short = [segment('a', '5m', 999)]
  ask(cache, short)
  assert.deepEqual(ask(cache, short), { read: 0, written5m: 0, written1h: 0, input: 999 })
})

test('PromptCache entries live five minutes or an hour from their last use', () => {
  let now = 0
  const cache = new PromptCache(() => now)
  const short = [segment('a', '5m')]
  const long = [segment('b', '1h')]
  ask(cache, short)
  ask(cache, long)
  now += 299_000
  assert.equal(ask(cache, short).read, 1_000)
  now += 299_000
  assert.equal(ask(cache, short).read, 1_000)
  now += 301_000
  assert.equal(ask(cache, short).read, 0)
  assert.equal(ask(cache, long).read, 1_000)
})

test('PromptCache keeps nothing of an entry that has expired', () => {
  let now = 0
  const cache = new PromptCache(() => now)
  ask(cache, [segment('a', '1h')])
  now += 3_600_000
  assert.equal(ask(cache, [segment('a', '5m')]).read, 0)
  now += 300_000
  assert.equal(ask(cache, [segment('a'), segment('b', '5m')]).read, 0)
  // A breakpoint before what is read does not write an entry, and renews none that has expired.
  now += 299_000
  assert.equal(ask(cache, [segment('a', '5m'), segment('b', '5m')]).read, 2_000)
  assert.equal(ask(cache, [segment('a', '5m')]).read, 0)
})

test('PromptCache counts writes of both lifetimes separately', () => {
  const cache = new PromptCache(() => 0)
  const segments = [segment('a', '1h'), segment('b'), segment('c', '5m'), segment('d')]
  assert.deepEqual(ask(cache, segments), { read: 0, written1h: 1_000, written5m: 2_000, input: 1_000 })
})

test('PromptCache entries become readable on commit, so parallel first requests miss', () => {
  const cache = new PromptCache(() => 0)
  const segments = [segment('a', '5m')]
  const first = cache.plan(segments, { minTokens: 0, keys })
  const second = cache.plan(segments, { minTokens: 0, keys })
  first.commit()
  second.commit()
  assert.equal(second.usage.read, 0)
  assert.equal(ask(cache, segments).read, 1_000)
})

test('PromptCache misses from the level of a changed key', () => {
  const cache = new PromptCache(() => 0)
  const segments: PromptSegment[] = [{ ...segment('s', '5m'), level: 'system' }, segment('m', '5m')]
  ask(cache, segments)
  const plan = cache.plan(segments, { minTokens: 0, keys: { ...keys, messages: 'tool_choice' } })
  assert.equal(plan.usage.read, 1_000)
  assert.equal(plan.usage.written5m, 1_000)
})

test('PromptCache drops the least recently used entry when full', () => {
  const cache = new PromptCache(() => 0, 2)
  ask(cache, [segment('a', '5m')])
  ask(cache, [segment('b', '5m')])
  ask(cache, [segment('a', '5m')])
  ask(cache, [segment('c', '5m')])
  assert.equal(ask(cache, [segment('a', '5m')]).read, 1_000)
  assert.equal(ask(cache, [segment('b', '5m')]).read, 0)
})

test('PromptCache counts of input, read and written add up to the prompt', () => {
  const anySegment = fc.record({
    level: fc.constant('messages' as const),
    tokens: fc.nat(2_000),
    text: fc.constantFrom('a', 'b', 'c'),
    ttl: fc.constantFrom(undefined, '5m' as const, '1h' as const),
    markable: fc.constant(true),
  })
  fc.assert(
    fc.property(fc.array(fc.array(anySegment, { maxLength: 30 }), { maxLength: 8 }), (requests) => {
      const cache = new PromptCache(() => 0)
      for (const segments of requests) {
        const { input, read, written5m, written1h } = ask(cache, segments)
        assert.equal(
          input + read + written5m + written1h,
          segments.reduce((sum, { tokens }) => sum + tokens, 0),
        )
        assert.ok(Math.min(input, read, written5m, written1h) >= 0)
      }
    }),
  )
})
