// Generated options, headers, queries, responses and streams: both clients send the same request and read the same reply.
import Official from '@anthropic-ai/sdk'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import Colloquy from 'colloquy'
import { hello } from './fixtures.ts'
import { eventStreams } from './generated/streams.ts'
import { type Given, givens } from './generated/options.ts'
import { responses } from './generated/responses.ts'
import { describe } from './outcome.ts'
import { eventNames } from './scenarios/message-streams.ts'

// COLLOQUY_FUZZ=3000 tries that many of each, which is the most; COLLOQUY_SEED=n others than usual.
const { COLLOQUY_FUZZ: numRuns = 300, COLLOQUY_SEED: seed = 1 } = process.env
const limits = { numRuns: Math.min(Number(numRuns), 3_000), seed: Number(seed) }

/** Without its types: the values are wrong on purpose. */
// oxlint-disable-next-line typescript/no-explicit-any
type Untyped = any

const clients: Untyped[] = [Official, Colloquy]

/** The result of a call, or its error as one word. */
async function resultOf(call: () => unknown): Promise<unknown> {
  try {
    return describe(await call())
  } catch {
    return 'an error'
  }
}

// Requests

const reply = { ...hello, id: 'msg_1', type: 'message', role: 'assistant', content: [], data: [], has_more: false }

const calls: Record<string, (client: Untyped, options: Untyped) => unknown> = {
  'create()': (client, options) => client.messages.create(hello, options),
  'create() of beta': (client, options) => client.beta.messages.create({ ...hello, betas: ['a', 'b'] }, options),
  'countTokens()': (client, options) => client.messages.countTokens(hello, options),
  'retrieve() of models': (client, options) => client.models.retrieve('m', {}, options),
  'delete() of batches': (client, options) => client.messages.batches.delete('b', {}, options),
  'get()': (client, options) => client.get('/v1/a?z=1', options),
  'post()': (client, options) => client.post('/v1/a', { body: { a: 1 }, ...options }),
  'request()': (client, options) => client.request({ method: 'patch', path: '/v1/a', body: [1, 2], ...options }),
}

interface Sent {
  method: string
  address: string
  query: string[]
  headers: Record<string, string>
  body: string
}

/** The request of a call, or why there is none. */
async function requestOf(Anthropic: Untyped, call: string, given: Given): Promise<Sent | string> {
  let sent: Sent | undefined
  const fetch = async (url: string, init: Untyped): Promise<Response> => {
    const { href, searchParams } = new URL(url)
    const { method, body = '' } = init
    const query = [...searchParams].map((pair) => pair.join('=')).toSorted()
    sent = { method, address: href.split('?')[0]!, query, headers: headersOf(new Headers(init.headers)), body }
    return Response.json(reply)
  }
  return withEnvironment(given.environment, async () => {
    try {
      const client = new Anthropic({ fetch, logLevel: 'off', ...given.client })
      await calls[call]!(client.withOptions(given.copy), given.request)
      return sent!
    } catch {
      return sent ?? 'an error'
    }
  })
}

/** The headers of a request, without those of the rows `telemetry-headers` and `api-key-header` of docs/compatibility.md. */
function headersOf(headers: Headers): Record<string, string> {
  const shown = Object.fromEntries([...headers].filter(([name]) => !/^(x-stainless-.*|user-agent)$/.test(name)))
  const [, key] = /^Bearer (sk-.*)/.exec(shown['authorization'] ?? '') ?? []
  if (key === undefined) return shown
  delete shown['authorization']
  return { ...shown, 'x-api-key': key }
}

async function withEnvironment<T>(variables: Record<string, string>, run: () => Promise<T>): Promise<T> {
  const before = { ...process.env }
  for (const name of Object.keys(process.env)) if (name.startsWith('ANTHROPIC_')) delete process.env[name]
  Object.assign(process.env, variables, { ANTHROPIC_CONFIG_DIR: '/nonexistent' })
  try {
    return await run()
  } finally {
    process.env = before
  }
}

test('generated options of client, copy and request make the same request', async () => {
  const names = fc.constantFrom(...Object.keys(calls))
  await fc.assert(
    fc.asyncProperty(names, givens, async (call, given) => {
      const [official, ours] = [await requestOf(Official, call, given), await requestOf(Colloquy, call, given)]
      // Ours may take options that the official client refuses.
      if (official !== 'an error') assert.deepEqual(ours, official)
    }),
    limits,
  )
})

// Responses

const readers: Record<string, (promise: Untyped) => unknown> = {
  'the result': (promise) => promise,
  'the result twice': async (promise) => [await promise, (await promise) === (await promise)],
  'asResponse()': async (promise) => {
    const response = await promise.asResponse()
    return [response.status, response.ok, await response.text()]
  },
  'withResponse()': async (promise) => {
    const { data, response, request_id, workspace_id } = await promise.withResponse()
    return [data, response.status, request_id, workspace_id, data === (await promise)]
  },
}

test('generated responses are read the same, and the same of them are errors', async () => {
  const methods = { 'get()': 'get', 'post()': 'post', 'delete()': 'delete' } as const
  const names = fc.constantFrom(...(Object.keys(methods) as (keyof typeof methods)[]))
  await fc.assert(
    fc.asyncProperty(names, fc.constantFrom(...Object.keys(readers)), responses, async (name, reader, given) => {
      const [official, ours] = await Promise.all(
        clients.map(async (Anthropic) => {
          let requests = 0
          const fetch = async (): Promise<Response> => (requests++, given.response())
          const client = new Anthropic({ apiKey: 'key', fetch, maxRetries: given.isPassing ? 1 : 0, logLevel: 'off' })
          const result = await resultOf(() => readers[reader]!(client[methods[name]]('/v1/a')))
          return [result, requests]
        }),
      )
      assert.deepEqual(ours, official)
    }),
    limits,
  )
})

// Streams

const streamReaders: Record<string, (messages: Untyped) => unknown> = {
  async 'all events of a message stream'(messages) {
    const log: unknown[] = []
    const stream = messages.stream(hello)
    for (const name of [...eventNames, 'compaction'])
      stream.on(name, (...args: unknown[]) => log.push([name, ...args.map(copyOf)]))
    const final = copyOf(await stream.finalMessage())
    return [log, final, stream.messages.length, stream.ended, stream.errored, stream.aborted, stream.request_id]
  },
  async 'the message at each event of a loop'(messages) {
    const log: unknown[] = []
    const stream = messages.stream(hello)
    for await (const event of stream)
      if (event.type !== 'message_stop') log.push([copyOf(event), copyOf(stream.currentMessage)])
    return log
  },
  'a raw stream': async (messages) => Array.fromAsync(await messages.create({ ...hello, stream: true })),
  async 'both halves of a raw stream'(messages) {
    const [left, right] = (await messages.create({ ...hello, stream: true })).tee()
    return [await Array.fromAsync(left), await Array.fromAsync(right)]
  },
  async 'lines that are read again'(messages) {
    return new Response(messages.stream(hello).toReadableStream()).text()
  },
  async 'the text'(messages) {
    return messages.stream(hello).finalText()
  },
}

/** A copy as JSON, without the fields of the row `parsed-output-null` of docs/compatibility.md. */
function copyOf(value: unknown): unknown {
  if (value === undefined) return undefined
  return JSON.parse(JSON.stringify(value, (key, field) => (key === 'parsed_output' && !field ? undefined : field)))
}

test('generated streams are delivered the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...Object.keys(streamReaders)), eventStreams, async (reader, open) => {
      const [official, ours] = await Promise.all(
        clients.map((Anthropic) => {
          const client = new Anthropic({ apiKey: 'key', fetch: async () => open(), maxRetries: 0, logLevel: 'off' })
          return resultOf(() => streamReaders[reader]!(client.beta.messages))
        }),
      )
      assert.deepEqual(ours, official)
    }),
    { ...limits, numRuns: Math.ceil(limits.numRuns / 3) },
  )
})
