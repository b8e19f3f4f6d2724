import { setTimeout as sleep } from 'node:timers/promises'
import { failure, hello, helloStream, json, message, ping, sse, start, text } from '../fixtures.ts'
import type { Reply } from '../recording-server.ts'
import { ownError, type Scenario } from '../scenario.ts'
import { listen } from './message-streams.ts'

const silence: Reply = { status: 0, end: 'hold' }
const begun = sse([start(), ...text(0, 'Once')], { end: 'hold' })

/** Timeouts and aborts at every stage of a request. */
export const limits: Scenario[] = [
  {
    name: 'a time limit before the headers',
    replies: [silence],
    options: { timeout: 1000, maxRetries: 0 },
    run: ({ client }) => client.messages.create(hello),
  },
  {
    name: 'a time limit for one request',
    replies: [silence],
    options: { maxRetries: 0 },
    run: ({ client }) => client.messages.create(hello, { timeout: 1000 }),
  },
  {
    name: 'a time limit is reached three times over',
    replies: [silence, silence, silence],
    options: { timeout: 50_000 },
    hurried: true,
    run: ({ client }) => client.messages.create(hello),
  },
  {
    name: 'a time limit of a stream before its headers',
    replies: [silence],
    options: { timeout: 1000, maxRetries: 0 },
    run: ({ client }) => client.messages.stream(hello).finalMessage(),
  },
  {
    name: 'a timeout above ten minutes is sent in a header in whole seconds',
    replies: [json(message())],
    run: ({ client }) => client.messages.create(hello, { timeout: 1_234_567 }),
  },
  {
    name: 'the timeout of the client is sent in a header',
    replies: [json(message()), json({ input_tokens: 1 })],
    options: { timeout: 90_500 },
    run: async ({ client }) => [await client.messages.create(hello), await client.messages.countTokens(hello)],
  },
  ...[-1, Number.NaN].map((timeout): Scenario => ({
    name: `a limit of ${timeout}`,
    run: ({ client }) => client.messages.create(hello, { timeout }),
    differs: [ownError('threw')],
  })),
  ...[-1, 1.5, Number.NaN].map((maxRetries): Scenario => ({
    name: `${maxRetries} retries`,
    options: { maxRetries },
    run: ({ client }) => client.messages.create(hello),
    differs: [ownError('threw')],
  })),
  {
    name: 'a limit of 0',
    replies: [json(message())],
    options: { timeout: 0, maxRetries: 0, fetch: fetchLater },
    run: async ({ client }) => (await client.messages.create(hello)).stop_reason,
    differs: [
      { name: 'no-time-limit', at: 'threw', official: { name: 'APIConnectionTimeoutError' } },
      { name: 'no-time-limit', at: 'returned', ours: 'end_turn' },
      { name: 'no-time-limit', at: 'waits', official: [0], ours: [] },
      { name: 'no-time-limit', at: 'requests', official: [], ours: [{ path: '/v1/messages' }] },
    ],
  },
  {
    name: 'a limit of a fraction of a millisecond more',
    replies: [json(message())],
    options: { timeout: 5000.5 },
    run: async ({ client }) => (await client.messages.create(hello, { timeout: 5000.5 })).stop_reason,
    differs: [
      { name: 'no-time-limit', at: 'threw', official: { message: 'timeout must be an integer' } },
      { name: 'no-time-limit', at: 'returned', ours: 'end_turn' },
      { name: 'no-time-limit', at: 'requests.0', ours: { path: '/v1/messages' } },
    ],
  },
  {
    name: 'a time limit while the body comes',
    replies: [{ ...json(message()), body: ['{"id":'], end: 'hold' }],
    options: { timeout: 50_000, maxRetries: 0 },
    hurried: true,
    hangsMs: 1000,
    run: ({ client }) => client.messages.create(hello),
    differs: [
      { name: 'body-timeout', at: 'pending', official: true },
      { name: 'body-timeout', at: 'threw', ours: { name: 'APIConnectionTimeoutError' } },
      { name: 'body-timeout', at: 'requests.0.abandoned', ours: true },
      { name: 'body-timeout', at: 'waits', official: [], ours: /^(4[6-9]|50)\d00$/ },
    ],
  },
  ...[21_334, 64_000].map((max_tokens): Scenario => ({
    name: `create() of ${max_tokens} tokens, which may take longer than ten minutes`,
    replies: [sse(helloStream)],
    run: async ({ client }) => (await client.messages.create({ ...hello, max_tokens })).content,
    differs: [
      { name: 'long-replies', at: 'threw', official: { name: 'AnthropicError' } },
      { name: 'long-replies', at: 'returned', ours: [{ type: 'text', text: 'Hello there' }] },
      { name: 'long-replies', at: 'requests.0', ours: { body: { max_tokens, stream: true } } },
    ],
  })),
  {
    name: 'create() of 64,000 tokens with a time limit of its own',
    replies: [json(message())],
    run: async ({ client }) =>
      (await client.messages.create({ ...hello, max_tokens: 64_000 }, { timeout: 3_600_000 })).stop_reason,
  },
  {
    name: 'a signal that is aborted already',
    replies: [json(message())],
    run: ({ client }) => client.messages.create(hello, { signal: AbortSignal.abort() }),
  },
  {
    name: 'a signal that is aborted already with a reason of its own',
    replies: [json(message())],
    run: ({ client }) => client.messages.create(hello, { signal: AbortSignal.abort(new RangeError('mine')) }),
  },
  {
    name: 'an abort while the headers are awaited',
    replies: [silence],
    async run({ client, stage }) {
      const controller = new AbortController()
      void stage.arrived(1).then(() => controller.abort())
      return client.messages.create(hello, { signal: controller.signal })
    },
  },
  {
    name: 'an abort while the body of an error is awaited',
    replies: [{ ...failure(400, 'invalid_request_error', 'No'), body: ['{"type":'], end: 'hold' }],
    async run({ client, stage }) {
      const controller = new AbortController()
      void stage
        .arrived(1)
        .then(() => sleep(50))
        .then(() => controller.abort())
      const error = await client.messages.create(hello, { signal: controller.signal }).catch((error: unknown) => error)
      return error instanceof Error
    },
  },
  {
    name: 'an abort between two tries',
    replies: [failure(529, 'overloaded_error', 'Overloaded', { headers: { 'retry-after': '2' } }), json(message())],
    async run({ client, stage }) {
      const controller = new AbortController()
      void stage
        .arrived(1)
        .then(() => sleep(50))
        .then(() => controller.abort())
      return client.messages.create(hello, { signal: controller.signal })
    },
  },
  {
    name: 'an abort of countTokens()',
    replies: [silence],
    async run({ client, stage }) {
      const controller = new AbortController()
      void stage.arrived(1).then(() => controller.abort())
      return client.messages.countTokens(hello, { signal: controller.signal })
    },
  },
  {
    name: 'abort() of a message stream before its headers',
    replies: [silence],
    async run({ client, stage }) {
      const stream = client.messages.stream(hello)
      const calls = listen(stream)
      void stage.arrived(1).then(() => stream.abort())
      const error = await stream.finalMessage().catch((error: unknown) => error)
      return [error, calls, stream.aborted, stream.errored, stream.ended]
    },
  },
  {
    name: 'abort() of a message stream in the middle, for each promise',
    replies: [begun],
    async run({ client }) {
      const stream = client.messages.stream(hello)
      const calls: string[] = []
      stream
        .on('abort', () => calls.push('abort'))
        .on('error', () => calls.push('error'))
        .on('end', () => calls.push('end'))
      const all = Promise.allSettled([
        stream.finalMessage(),
        stream.finalText(),
        stream.done(),
        stream.emitted('message'),
      ])
      stream.on('text', () => stream.abort())
      await stream.done().catch(() => {})
      void all
      return [
        calls,
        stream.aborted,
        stream.errored,
        stream.ended,
        await stream.finalMessage().catch((error: unknown) => error),
      ]
    },
  },
  {
    name: 'abort() of a message stream while it is looped over',
    replies: [begun],
    async run({ client }) {
      const stream = client.messages.stream(hello)
      for await (const event of stream) if (event.type === 'content_block_stop') stream.abort()
    },
  },
  {
    name: 'a signal aborts a message stream',
    replies: [begun],
    async run({ client }) {
      const controller = new AbortController()
      const stream = client.messages.stream(hello, { signal: controller.signal })
      stream.on('text', () => controller.abort())
      return stream.finalText()
    },
  },
  {
    name: 'a signal aborts the controller of a message stream',
    replies: [begun],
    async run({ client }) {
      const controller = new AbortController()
      const stream = client.messages.stream(hello, { signal: controller.signal })
      stream.on('text', () => controller.abort())
      await stream.done().catch(() => {})
      return stream.controller.signal.aborted
    },
  },
  {
    name: 'a signal that is aborted already, given to a message stream',
    replies: [begun],
    run: ({ client }) => client.messages.stream(hello, { signal: AbortSignal.abort() }).finalText(),
  },
  {
    name: 'abort() after the end does nothing',
    replies: [sse(helloStream)],
    async run({ client }) {
      const stream = client.messages.stream(hello)
      const reply = await stream.finalText()
      stream.abort()
      return [reply, await stream.finalText(), stream.aborted]
    },
  },
  {
    name: 'a signal lets go of its listeners',
    replies: [json(message()), sse(helloStream), failure(400, 'invalid_request_error', 'No')],
    async run({ client }) {
      const { signal } = new AbortController()
      let listening = 0
      const { addEventListener, removeEventListener } = signal
      signal.addEventListener = (...given: Parameters<typeof addEventListener>) => {
        listening++
        addEventListener.apply(signal, given)
      }
      signal.removeEventListener = (...given: Parameters<typeof removeEventListener>) => {
        listening--
        removeEventListener.apply(signal, given)
      }
      await client.messages.create(hello, { signal })
      await client.messages.stream(hello, { signal }).finalText()
      await client.messages.create(hello, { signal }).catch(() => {})
      return listening <= 0
    },
  },
  {
    name: 'a host that does not exist',
    options: { baseURL: 'http://127.0.0.1:1', maxRetries: 0 },
    async run({ client, Anthropic }) {
      const error = await client.messages.create(hello).catch((error: unknown) => error)
      return error instanceof Anthropic.APIConnectionError
    },
  },
  {
    name: 'pings before the first event',
    replies: [sse([ping, ping, ...helloStream])],
    run: ({ client }) => client.messages.stream(hello).finalText(),
  },
]

/** A limit of 0 is reached before anything is sent, rather than sometimes. */
async function fetchLater(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  await new Promise((resolve) => setTimeout(resolve, 20))
  init?.signal?.throwIfAborted()
  return fetch(input, init)
}
