import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { accumulate } from '../../protocol/codec/accumulate.ts'
import type { Engine, EngineAttempt, EngineContext } from '../../protocol/types/engine.ts'
import { APIConnectionError, APIError, APIUserAbortError } from '../../protocol/types/error.ts'
import { apiError } from '../../protocol/types/error-response.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import type { Clock } from '../clock.ts'
import { offline } from '../offline/offline.ts'
import { script, type ScriptEngine, type Step } from '../script.ts'
import { route } from './route.ts'

function request(model: string, content = 'Hello', user?: string): MessageCreateParams {
  return {
    model,
    max_tokens: 100,
    messages: [{ role: 'user', content }],
    ...(user !== undefined && { metadata: { user_id: user } }),
  }
}

async function say(engine: Engine, params = request('m'), context?: EngineContext): Promise<string> {
  return textOf(await accumulate(engine(params, context)))
}

function textOf({ content }: Message): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

/** An engine that always answers with its name, or always with the steps. */
function named(name: string, step: Partial<Step> = {}): ScriptEngine {
  return script([{ reply: name, times: Infinity, ...step }])
}

const overloaded: Partial<Step> = { error: { type: 'overloaded_error' } }

function limited(seconds: number): Partial<Step> {
  return { error: { type: 'rate_limit_error', headers: { 'retry-after': String(seconds) } } }
}

/** A clock that stands still until it is set. Waits end at their time. */
function manualClock(): Clock & { advance(ms: number): void } {
  let now = 0
  const waits = new Set<{ at: number; resolve: () => void }>()
  return {
    now: () => now,
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        waits.add({ at: now + ms, resolve })
        signal?.addEventListener('abort', () => reject(new Error('stopped')))
      }),
    advance(ms) {
      now += ms
      for (const { at, resolve } of waits) if (at <= now) resolve()
    },
  }
}

test('route() finds the route by exact id, alias, longest beginning, then default', async () => {
  const engine = route({
    engines: Object.fromEntries(['exact', 'haiku', 'claude', 'rest', 'dated'].map((name) => [name, named(name)])),
    routes: {
      '*': 'rest',
      'claude-*': 'claude',
      'claude-haiku-*': 'haiku',
      'claude-sonnet-4-6': 'exact',
      'claude-haiku-4-5-20251001': 'dated',
    },
  })
  const answers = async (...models: string[]): Promise<string[]> =>
    Promise.all(models.map((model) => say(engine, request(model))))
  assert.deepEqual(await answers('claude-sonnet-4-6', 'claude-haiku-9', 'claude-opus-5-5', 'gpt', 'claude-haiku-4-5'), [
    'exact',
    'haiku',
    'claude',
    'rest',
    'dated',
  ])
})

test('route() answers 404 for a model without a route, in the words of the API', async () => {
  const engine = route({ engines: { a: named('a') }, routes: { 'claude-*': 'a' } })
  const expected = { status: 404, type: 'not_found_error', apiMessage: 'model: gpt' }
  await assert.rejects(say(engine, request('gpt')), expected)
  await assert.rejects(engine.countTokens!(request('gpt')), expected)
})

test('route() sends the name of the target, and the request otherwise unchanged', async () => {
  const inner = named('a')
  const engine = route({ engines: { inner }, routes: { fast: { to: { engine: 'inner', model: 'claude-haiku-4-5' } } } })
  const { signal } = new AbortController()
  const context = { signal, betas: ['one'], version: '2023-06-01', onHeaders: () => {} }
  await say(engine, request('fast'), context)
  const [received] = inner.requests
  assert.deepEqual(received!.params, request('claude-haiku-4-5'))
  assert.deepEqual(received!.context, context)
})

test('route() tries the next engine on overload, timeout and errors before the first event', async () => {
  const failing: Engine[] = [
    named('', overloaded),
    named('', limited(1)),
    named('', { error: { type: 'api_error', status: 503 } }),
    named('', { error: { type: 'timeout_error' } }),
    named('', { error: { type: 'authentication_error' } }),
    named('', { cut: 'reset', after: 0 }),
    async function* () {
      yield* []
      throw new TypeError('a mistake in the engine')
    },
    async function* () {},
  ]
  for (const first of failing) {
    const attempts: EngineAttempt[] = []
    const engine = route({ engines: { first, second: named('second') }, routes: { '*': { to: ['first', 'second'] } } })
    const onAttempt = (attempt: EngineAttempt): void => void attempts.push(attempt)
    assert.equal(await say(engine, request('m'), { onAttempt }), 'second')
    assert.deepEqual(
      attempts.map(({ engine: name, error }) => [name, error !== undefined]),
      [
        ['first', true],
        ['second', false],
      ],
    )
  }
})

test('route() does not retry a request that the engine does not take, unless told to', async () => {
  const first = named('', { error: { type: 'invalid_request_error', message: 'messages: too long' } })
  const engines = { first, second: named('second') }
  const strict = route({ engines, routes: { '*': { to: ['first', 'second'] } } })
  await assert.rejects(say(strict), { status: 400, apiMessage: 'messages: too long' })
  const other = route({ engines, routes: { '*': { to: ['first', 'second'], fallbackOn: ['request'] } } })
  assert.equal(await say(other), 'second')
})

test('route() passes an error after the first event to the caller', async () => {
  const second = named('second')
  const engine = route({
    engines: { first: named('Hello there', { ...overloaded, after: 3 }), second },
    routes: { '*': { to: ['first', 'second'] } },
  })
  await assert.rejects(say(engine), { type: 'overloaded_error' })
  assert.equal(second.requests.length, 0)
})

const refusal: Partial<Step> = { reply: { content: '', stop_reason: 'refusal' } }

test('route() tries the next engine when the model refuses, and reports the usage of the refusal', async () => {
  const attempts: EngineAttempt[] = []
  const engine = route({
    engines: { first: named('', refusal), second: named('second') },
    routes: { '*': { to: ['first', 'second'] } },
  })
  assert.equal(await say(engine, request('m'), { onAttempt: (attempt) => void attempts.push(attempt) }), 'second')
  assert.ok(attempts[0]!.usage!.input_tokens > 0)
})

test('route() gives the refusal to the caller when no other engine replies', async () => {
  const engine = route({
    engines: { first: named('', refusal), second: named('', overloaded) },
    routes: { '*': { to: ['first', 'second'] }, only: 'first', no: { to: ['first', 'second'], fallbackOn: ['error'] } },
  })
  for (const model of ['m', 'only', 'no'])
    assert.equal((await accumulate(engine(request(model)))).stop_reason, 'refusal')
})

test('route() passes events as they come when it watches for a refusal', async () => {
  const engine = route({
    engines: { first: named('Hello'), second: named('') },
    routes: { '*': { to: ['first', 'second'] } },
  })
  const direct = await Array.fromAsync(named('Hello')(request('m')))
  const routed = await Array.fromAsync(engine(request('m')))
  assert.deepEqual(
    routed.map(({ type }) => type),
    direct.map(({ type }) => type),
  )
})

test('route() leaves an engine alone for as long as its retry-after says, for that model only', async () => {
  const clock = manualClock()
  const first = script([
    { when: ({ model }) => model === 'a', ...limited(30) },
    { reply: 'first', times: Infinity },
  ])
  const engine = route({
    engines: { first, second: named('second') },
    routes: { '*': { to: ['first', 'second'] } },
    clock,
  })
  const answers: string[] = [await say(engine, request('a')), await say(engine, request('a'))]
  assert.equal(await say(engine, request('b')), 'first')
  clock.advance(29_999)
  answers.push(await say(engine, request('a')))
  clock.advance(1)
  answers.push(await say(engine, request('a')))
  assert.deepEqual(answers, ['second', 'second', 'second', 'first'])
  assert.equal(first.requests.length, 3)
})

test('route() uses an engine that cools down without a known end if no other answers', async () => {
  const clock = manualClock()
  const first = script([{ ...overloaded }, { reply: 'first', times: Infinity }])
  const second = script([{ reply: 'second' }, { error: { type: 'api_error' } }])
  const engine = route({
    engines: { first, second },
    routes: { '*': { to: ['first', 'second'] } },
    clock,
  })
  assert.deepEqual([await say(engine), await say(engine)], ['second', 'first'])
})

test('route() shares requests among the keys of one name, and moves on when one is at its limit', async () => {
  const clock = manualClock()
  const keys = ['one', 'two', 'three'].map((name) => script([{ reply: name, times: Infinity }]))
  const busy = script([{ times: Infinity, ...limited(60) }])
  const engine = route({
    engines: { keys, mixed: [busy, ...keys] },
    routes: { 'x-*': 'mixed', '*': { to: 'keys', sticky: false } },
    clock,
    random: fixed([0, 0.4, 0.9]),
  })
  assert.deepEqual([await say(engine), await say(engine), await say(engine)], ['one', 'two', 'three'])
  for (let user = 0; user < 40; user++) assert.notEqual(await say(engine, request('x-1', 'Hi', `${user}`)), '')
  assert.equal(busy.requests.length, 1)
})

/** Numbers in turn. */
function fixed(numbers: number[]): () => number {
  let at = 0
  return () => numbers[at++ % numbers.length]!
}

test('route() draws the first engine by weight', async () => {
  const count = async (random: () => number): Promise<Record<string, number>> => {
    const found: Record<string, number> = { a: 0, b: 0, rest: 0 }
    const engine = route({
      engines: { a: named('a'), b: named('b'), rest: named('rest') },
      routes: { '*': { to: ['rest', { engine: 'a', weight: 3 }, { engine: 'b', weight: 1 }], sticky: false } },
      random,
    })
    for (let index = 0; index < 400; index++) found[await say(engine)]!++
    return found
  }
  let step = 0
  assert.deepEqual(await count(() => (step++ % 400) / 400), { a: 300, b: 100, rest: 0 })
})

test('route() keeps a conversation at its engine, and spreads conversations by weight', async () => {
  const found: Record<string, number> = { a: 0, b: 0 }
  const engine = route({
    engines: { a: named('a'), b: named('b') },
    routes: {
      '*': {
        to: [
          { engine: 'a', weight: 1 },
          { engine: 'b', weight: 1 },
        ],
      },
    },
  })
  for (let user = 0; user < 300; user++) {
    const first = request('m', 'Hello', `user ${user}`)
    const answer = await say(engine, first)
    found[answer]!++
    const later = { ...first, messages: [...first.messages, { role: 'assistant' as const, content: 'Hi' }] }
    assert.equal(await say(engine, later), answer)
  }
  assert.ok(found['a']! > 110 && found['b']! > 110, JSON.stringify(found))
})

test('route() opens the circuit after failures in a row, and closes it after a trial', async () => {
  const clock = manualClock()
  const first = script([
    { error: { type: 'api_error' }, times: 4 },
    { reply: 'first', times: Infinity },
  ])
  const engine = route({
    engines: { first, second: named('second') },
    routes: { '*': { to: ['first', 'second'] }, only: 'first' },
    breakAfter: 3,
    breakForMs: 1_000,
    clock,
  })
  for (let index = 0; index < 5; index++) assert.equal(await say(engine), 'second')
  assert.equal(first.requests.length, 3)
  await assert.rejects(say(engine, request('only')), {
    status: 529,
    apiMessage:
      'Cannot answer only by the route only: first: failed 3 times, left alone for 1 s: 500 Internal server error',
  })
  clock.advance(1_000)
  // The trial fails, so the circuit opens again at once.
  assert.equal(await say(engine), 'second')
  assert.equal(await say(engine), 'second')
  assert.equal(first.requests.length, 4)
  clock.advance(1_000)
  assert.equal(await say(engine), 'first')
  assert.equal(await say(engine), 'first')
})

test('route() lets one request at a time try an engine that failed', async () => {
  const clock = manualClock()
  const first = script([{ error: { type: 'api_error' } }, { reply: 'first', stall: true, after: 0 }])
  const engine = route({
    engines: { first, second: named('second') },
    routes: { '*': { to: ['first', 'second'] } },
    breakAfter: 1,
    breakForMs: 1_000,
    clock,
  })
  await say(engine)
  clock.advance(1_000)
  const controller = new AbortController()
  const trial = say(engine, request('m'), { signal: controller.signal })
  assert.equal(await say(engine), 'second')
  controller.abort()
  await assert.rejects(trial)
  assert.equal(first.requests.length, 2)
})

test('route() counts streams that break off as failures of the engine', async () => {
  const first = script([{ reply: 'Hello there', cut: 'reset', after: 3, times: 2 }])
  const engine = route({
    engines: { first, second: named('second') },
    routes: { '*': { to: ['first', 'second'] } },
    breakAfter: 2,
  })
  await assert.rejects(say(engine), APIConnectionError)
  await assert.rejects(say(engine), APIConnectionError)
  assert.equal(await say(engine), 'second')
})

test('route() tries the next engine when the first event takes too long', async () => {
  const clock = manualClock()
  const engine = route({
    engines: { slow: named('slow', { stall: true, after: 0 }), second: named('second') },
    routes: {
      '*': { to: ['slow', 'second'], firstEventTimeoutMs: 500 },
      only: { to: 'slow', firstEventTimeoutMs: 500 },
    },
    clock,
  })
  const answer = say(engine)
  await turns()
  clock.advance(500)
  assert.equal(await answer, 'second')
  const only = say(engine, request('only'))
  await turns()
  clock.advance(500)
  await assert.rejects(only, { name: 'APIConnectionTimeoutError' })
})

test('route() leaves an engine that ignores its signal behind', async () => {
  const clock = manualClock()
  async function* deaf(): AsyncGenerator<never> {
    yield* []
    await new Promise(() => {})
  }
  const engine = route({
    engines: { deaf, second: named('second') },
    routes: { '*': { to: ['deaf', 'second'], firstEventTimeoutMs: 500 } },
    clock,
  })
  const answer = say(engine)
  await turns()
  clock.advance(500)
  assert.equal(await answer, 'second')
})

test('route() limits time until the first event only', async () => {
  const engine = route({
    engines: { a: named('Hello there you', { eventDelayMs: 20 }) },
    routes: { '*': { to: 'a', firstEventTimeoutMs: 15 } },
  })
  assert.equal(await say(engine), 'Hello there you')
})

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

test('route() does not try another engine when the caller aborts', async () => {
  const second = named('second')
  for (const firstEventTimeoutMs of [undefined, 60_000]) {
    const controller = new AbortController()
    const engine = route({
      engines: { slow: named('slow', { stall: true, after: 0 }), second },
      routes: { '*': { to: ['slow', 'second'], ...(firstEventTimeoutMs && { firstEventTimeoutMs }) } },
    })
    const answer = say(engine, request('m'), { signal: controller.signal })
    await turns()
    controller.abort()
    await assert.rejects(answer, APIUserAbortError)
  }
  assert.equal(second.requests.length, 0)
})

test('route() limits the replies of a route in flight', async () => {
  const engine = route({
    engines: { a: named('Hello there', { times: Infinity }) },
    routes: { '*': { to: 'a', maxConcurrent: 2 } },
  })
  const open = [engine(request('m')), engine(request('m'))].map((events) => events[Symbol.asyncIterator]())
  for (const events of open) await events.next()
  await assert.rejects(say(engine), { status: 529, apiMessage: 'The route * is busy: 2 replies are in flight' })
  await open[0]!.return!()
  assert.equal(await say(engine), 'Hello there')
})

test('route() names the route and every cause when no engine answers, and says when to retry', async () => {
  async function* unreachable(): AsyncGenerator<never> {
    yield* []
    throw new APIConnectionError({
      host: 'secret.internal',
      cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }),
    })
  }
  const keys = [named('', limited(30)), named('', limited(20))]
  const engine = route({
    engines: { keys, unreachable, broken: named('', { error: { type: 'api_error', message: 'Broken' } }) },
    routes: { '*': { to: ['keys', 'unreachable', 'broken'], sticky: false }, keys: { to: 'keys', sticky: false } },
    random: () => 0,
    clock: manualClock(),
  })
  const error = await say(engine).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof APIError)
  assert.equal(
    error.apiMessage,
    "Cannot answer m by the route *: keys[0]: 429 This request would exceed your organization's rate limit; " +
      "keys[1]: 429 This request would exceed your organization's rate limit; " +
      'unreachable: the connection failed (ECONNREFUSED); broken: 500 Broken',
  )
  assert.deepEqual([error.status, error.retryAfterMs], [529, 20_000])
  assert.equal((error.cause as AggregateError).errors.length, 4)
  await assert.rejects(say(engine, request('keys')), { status: 429 })
})

test('route() counts tokens by the engine that would answer, and by the next if it fails', async () => {
  const counting = (count: () => Promise<number>): Engine =>
    Object.assign(named('a'), { countTokens: async () => ({ input_tokens: await count() }) })
  const engine = route({
    engines: {
      broken: counting(() => Promise.reject(apiError('overloaded_error', 'Overloaded'))),
      counts: counting(async () => 42),
      async *cannot() {},
    },
    routes: { a: { to: ['broken', 'counts'] }, b: 'cannot' },
  })
  assert.deepEqual(await engine.countTokens!(request('a')), { input_tokens: 42 })
  assert.ok((await engine.countTokens!(request('b'))).input_tokens > 0)
})

test('route() lists the names that requests may use', async () => {
  const own: Engine = Object.assign(offline(), {
    listModels: async () =>
      ['llama3.2', 'qwen3'].map((id) => ({
        type: 'model' as const,
        id,
        display_name: id.toUpperCase(),
        created_at: '2026-01-01T00:00:00Z',
      })),
  })
  const engine = route({
    engines: { own, claude: offline() },
    routes: {
      small: { to: { engine: 'own', model: 'qwen3' } },
      'llama*': 'own',
      'claude-haiku-*': { to: { engine: 'own', model: 'qwen3' } },
      'my-model': 'claude',
    },
  })
  const list = await engine.listModels!()
  const names = new Map(list.map(({ id, display_name }) => [id, display_name]))
  assert.equal(names.get('small'), 'QWEN3')
  assert.equal(names.get('llama3.2'), 'LLAMA3.2')
  assert.equal(names.get('my-model'), 'my-model')
  assert.ok([...names.keys()].some((id) => id.startsWith('claude-haiku-')))
  assert.ok(![...names.keys()].some((id) => id.startsWith('claude-opus-') || id === 'qwen3'))
})

test('route() refuses options that would not do what they say', () => {
  const engines = { claude: named('a') }
  for (const [options, message] of [
    [{ engines, routes: {} }, 'Cannot use route() without routes: add one, such as { "*": "NAME OF AN ENGINE" }'],
    [{ engines, route: {} }, 'Cannot use the option route of route(): did you mean routes?'],
    [{ engines, routes: { '*': 'cluade' } }, 'Cannot use the route *: there is no engine cluade: did you mean claude?'],
    [{ engines, routes: { '*': { too: 'claude' } } }, 'Cannot use the option too of the route *: did you mean to?'],
    [{ engines, routes: { 'a*b': 'claude' } }, 'Cannot use the route a*b: a * may stand at the end only'],
    [{ engines, routes: { '*': { to: [] } } }, 'Cannot use the route *: it has no engine'],
    [
      { engines, routes: { '*': { to: 'claude', maxConcurrent: 0 } } },
      'Cannot use maxConcurrent of the route *: it must be a number above 0: found 0',
    ],
    [
      { engines, routes: { '*': { to: 'claude', fallbackOn: ['overlod'] } } },
      'Cannot use fallbackOn of the route *: overlod is not one of overload, timeout, error, refusal, request',
    ],
    [{ engines: { claude: [] }, routes: { '*': 'claude' } }, /must be an engine or a list of engines/],
    [
      { engines, routes: { '*': 'claude' }, breakAfter: -1 },
      'Cannot use breakAfter of route(): it must be a number above 0: found -1',
    ],
  ] as const) {
    assert.throws(() => route(options as never), { name: 'AnthropicError', message })
  }
})

test('route() answers whenever an engine of the route can, whatever the others do', async () => {
  const outcome = fc.constantFrom<Partial<Step>>(
    overloaded,
    limited(5),
    { error: { type: 'api_error' } },
    { error: { type: 'timeout_error' } },
    { cut: 'reset', after: 0 },
    refusal,
  )
  await fc.assert(
    fc.asyncProperty(fc.array(outcome, { maxLength: 4 }), fc.nat(4), async (outcomes, at) => {
      const steps = outcomes.toSpliced(at, 0, { reply: 'good' })
      const engines = Object.fromEntries(steps.map((step, index) => [`e${index}`, named('', step)]))
      const engine = route({ engines, routes: { '*': { to: Object.keys(engines) } }, clock: manualClock() })
      assert.deepEqual([await say(engine), await say(engine)], ['good', 'good'])
    }),
    { numRuns: 50 },
  )
})

test('requests at once never exceed maxConcurrent, settle once, and free their places however they end', async () => {
  const ends = ['replies', 'is overloaded', 'fails', 'breaks off', 'is left', 'is aborted'] as const
  const plan = fc.array(fc.record({ end: fc.constantFrom(...ends), delay: fc.nat(3) }), { minLength: 1, maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(plan, fc.integer({ min: 1, max: 5 }), async (requests, maxConcurrent) => {
      let inFlight = 0
      let most = 0
      async function* engine(params: MessageCreateParams, context: EngineContext = {}): ReturnType<Engine> {
        const { end, delay } = requests[Number(params.messages[0]!.content)] ?? { end: 'replies', delay: 0 }
        most = Math.max(most, ++inFlight)
        try {
          for (let turn = 0; turn < delay; turn++) await new Promise((resolve) => setImmediate(resolve))
          if (end === 'is overloaded') throw apiError('overloaded_error', 'Overloaded')
          if (end === 'fails') throw apiError('api_error', 'Failed')
          for await (const event of named('ok')(params, context)) {
            yield event
            if (end === 'breaks off' && event.type === 'content_block_delta') throw new APIConnectionError({})
          }
        } finally {
          inFlight--
        }
      }
      const routed = route({
        engines: { engine },
        routes: { '*': { to: 'engine', maxConcurrent } },
        breakAfter: 1_000,
        coolDownMs: 1,
      })
      const outcomes = await Promise.allSettled(
        requests.map(async ({ end }, place) => {
          const controller = new AbortController()
          const events = routed(request('m', String(place)), { signal: controller.signal })
          for await (const { type } of events) {
            if (type !== 'content_block_delta') continue
            if (end === 'is left') return
            if (end === 'is aborted') controller.abort()
          }
        }),
      )
      assert.ok(most <= maxConcurrent, `${most} at once`)
      assert.equal(inFlight, 0)
      for (const [place, { status }] of outcomes.entries()) {
        const { end } = requests[place]!
        if (!['replies', 'is left', 'is aborted'].includes(end)) assert.equal(status, 'rejected', end)
      }
      // Every place is free again.
      await Promise.all(Array.from({ length: maxConcurrent }, () => say(routed, request('m', 'later'))))
    }),
    { numRuns: 60 },
  )
})
