import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis } from '../../../../../test/redis-server.ts'
import type { LimitCounter } from './counter.ts'
import { MemoryCounter } from './memory-counter.ts'
import { openCounter } from './open-counter.ts'
import { limitHeaders, modelClass } from './rate-limits.ts'

let counters = 0
const counter = (): string => `key-${++counters}`

function contract(makeCounter: () => Promise<LimitCounter>): void {
  test('requests are counted until the limit, and the refused one costs nothing', async (t) => {
    const limits = await makeCounter()
    t.after(() => limits.close())
    const request = { counter: counter(), limits: { requests_per_minute: 2, concurrent_requests: 9 }, inputTokens: 10 }
    const results = []
    for (const requestId of ['a', 'b', 'c']) results.push(await limits.begin({ ...request, requestId }))
    assert.deepEqual(
      results.map(({ exceeded, left }) => [exceeded, Math.floor(left.requests_per_minute!)]),
      [
        [undefined, 1],
        [undefined, 0],
        ['requests_per_minute', 0],
      ],
    )
    assert.equal((await limits.begin({ ...request, counter: counter(), requestId: 'd' })).exceeded, undefined)
  })

  test('tokens may take a bucket below zero, and are corrected at the end', async (t) => {
    const limits = await makeCounter()
    t.after(() => limits.close())
    const request = {
      counter: counter(),
      limits: { input_tokens_per_minute: 600, output_tokens_per_minute: 600 },
      inputTokens: 1_000,
    }
    const first = await limits.begin({ ...request, requestId: 'a' })
    assert.deepEqual([first.exceeded, Math.round(first.left.input_tokens_per_minute!)], [undefined, -400])
    assert.equal((await limits.begin({ ...request, requestId: 'b' })).exceeded, 'input_tokens_per_minute')
    await limits.end({ ...request, requestId: 'a', usedInputTokens: 100, usedOutputTokens: 700 })
    const refused = await limits.begin({ ...request, requestId: 'c' })
    assert.equal(refused.exceeded, 'output_tokens_per_minute')
    assert.ok(
      refused.left.input_tokens_per_minute! >= 500 &&
        refused.left.output_tokens_per_minute! >= -100 &&
        refused.left.output_tokens_per_minute! < 0,
    )
  })

  test('requests in flight are limited', async (t) => {
    const limits = await makeCounter()
    t.after(() => limits.close())
    const request = { counter: counter(), limits: { concurrent_requests: 1 }, inputTokens: 0 }
    assert.equal((await limits.begin({ ...request, requestId: 'a' })).exceeded, undefined)
    assert.equal((await limits.begin({ ...request, requestId: 'b' })).exceeded, 'concurrent_requests')
    await limits.end({ ...request, requestId: 'a', usedInputTokens: 0, usedOutputTokens: 0 })
    assert.equal((await limits.begin({ ...request, requestId: 'b' })).exceeded, undefined)
  })

  test('buckets are refilled all the time', async (t) => {
    const limits = await makeCounter()
    t.after(() => limits.close())
    const request = { counter: counter(), limits: { requests_per_minute: 600 }, inputTokens: 0 }
    for (let index = 0; index < 600; index++) await limits.begin({ ...request, requestId: String(index) })
    await sleep(250)
    const { exceeded, left } = await limits.begin({ ...request, requestId: 'x' })
    assert.equal(exceeded, undefined)
    assert.ok(left.requests_per_minute! >= 0 && left.requests_per_minute! < 300)
  })
}

describe('counting in memory', () => contract(async () => new MemoryCounter()))

const redis = await startRedis()
if (redis === undefined) {
  test('counting in Redis', { skip: 'NOT TESTED: neither Redis nor Valkey is installed' })
} else {
  after(() => redis.stop())
  describe('counting in Redis', () => {
    // A test machine that is busy for longer than the default must not look like a Redis that is away.
    const patient = { redis: redis.url, patienceMs: 120_000 }

    contract(async () => connected(await openCounter(patient)))

    test('two servers count together', async (t) => {
      const both = [await connected(await openCounter(patient)), await connected(await openCounter(patient))]
      t.after(() => Promise.all(both.map((each) => each.close())))
      // The next one is let through after 30 seconds.
      const request = { counter: counter(), limits: { requests_per_minute: 2 }, inputTokens: 0 }
      const results = await Promise.all(
        Array.from({ length: 10 }, async (_, index) =>
          both[index % 2]!.begin({ ...request, requestId: String(index) }),
        ),
      )
      assert.equal(results.filter(({ exceeded }) => exceeded === undefined).length, 2)
    })

    test('a server that Redis leaves counts alone, says so, and returns', async (t) => {
      const sentences: string[] = []
      const limits = await connected(await openCounter({ ...patient, onProblem: (each) => sentences.push(each) }))
      t.after(() => limits.close())
      const request = { counter: counter(), limits: { requests_per_minute: 2, concurrent_requests: 5 }, inputTokens: 0 }
      await redis.kill()
      sentences.length = 0
      const begun = []
      for (const requestId of ['a', 'b', 'c']) begun.push((await limits.begin({ ...request, requestId })).exceeded)
      assert.deepEqual(begun, [undefined, undefined, 'requests_per_minute'])
      assert.equal(limits.problem, 'Redis does not answer: each server counts its own requests')
      assert.ok(sentences[0]!.startsWith(`${limits.problem} (`))
      assert.doesNotMatch(sentences[0]!, /enableOfflineQueue/)
      await limits.end({ ...request, requestId: 'a', usedInputTokens: 0, usedOutputTokens: 0 })
      await redis.restart()
      await connected(limits)
      assert.deepEqual(sentences, [sentences[0], 'Redis answers again: all servers count together'])
    })
  })
}

test('models share a limit as the API groups them', () => {
  const models = [
    'claude-opus-4-6',
    'claude-opus-4-1',
    'claude-sonnet-4-6',
    'claude-haiku-4-5',
    'claude-opus-5-5',
    'llama',
  ]
  assert.deepEqual(models.map(modelClass), [
    'opus-4.x',
    'opus-4.x',
    'sonnet-4.x',
    'claude-haiku-4-5-20251001',
    'claude-opus-5-5',
    'llama',
  ])
})

/** Waits until the counter has reached Redis. */
async function connected(limits: LimitCounter): Promise<LimitCounter> {
  const request = { counter: counter(), limits: { requests_per_minute: 1_000_000 }, inputTokens: 0 }
  do {
    await sleep(20)
    await limits.begin({ ...request, requestId: 'probe' })
  } while (limits.problem !== undefined)
  return limits
}

test('headers round what is left of tokens to thousands, as the API does, and small limits not', () => {
  const leftOf = (limit: number, left: number): string | undefined =>
    new Map(limitHeaders({ output_tokens_per_minute: limit }, { output_tokens_per_minute: left }, 0)).get(
      'anthropic-ratelimit-output-tokens-remaining',
    )
  assert.deepEqual([leftOf(60_000, 59_432), leftOf(100, 95), leftOf(100, -4)], ['59000', '95', '0'])
})
