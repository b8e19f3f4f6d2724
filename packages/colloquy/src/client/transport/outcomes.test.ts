// The outcome of a request for each behaviour of a server. One table for all transports: a row holds for each, or says why not.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import {
  apiError,
  closes,
  encoded,
  head,
  json,
  message,
  raw,
  type RawServer,
  rawServer,
  resets,
  type Respond,
  type Row,
  rows,
  sends,
  streams,
} from '../../../../../test/outcomes.ts'
import { Anthropic } from '../client.ts'
import type { ClientOptions } from '../options.ts'
import { hello, params } from '../request/fault-server.test.ts'

const transports: Record<string, ClientOptions> = {
  sockets: { transport: 'sockets' },
  'node:http': { transport: 'node' },
  fetch: { fetch: (url, init) => fetch(url, init) },
}

type Send = (client: Anthropic, signal?: AbortSignal) => Promise<Anthropic.Message>

const methods: [name: string, table: Row[], send: Send][] = [
  ['create()', rows, (client, signal) => client.messages.create(params, { signal })],
  ['stream()', streams, (client, signal) => client.messages.stream(params, { signal }).finalMessage()],
]

for (const [method, table, send] of methods) {
  for (const row of table) {
    for (const [transport, chosen] of Object.entries(transports)) {
      const [outcome, count] = (transport === 'fetch' ? row.fetch?.outcome : undefined) ?? row.outcome
      test(`${method} through ${transport}: ${row.name}`, async (t) => {
        const server = await rawServer(t, row.respond)
        const limits = { maxRetries: 1, maxRetryDelay: 1, timeout: 5000 }
        const client = new Anthropic({ apiKey: 'key', baseURL: server.url, ...limits, ...row.options, ...chosen })
        const result = await send(client).then(
          (value) => (value.type === 'message' ? 'message' : JSON.stringify(value)),
          (error: Error) => `${error.constructor.name}: ${error.message}`,
        )
        if (outcome instanceof RegExp) assert.match(result, outcome)
        else assert.equal(result, outcome)
        assert.equal(server.count(), count)
      })
    }
  }
}

// Idle connections

/** A server whose idle connections fail once `forget()` was called. */
async function forgetfulServer(t: TestContext, fail: Respond): Promise<RawServer & { forget: () => void }> {
  let hasForgotten = false
  const known = new WeakSet<Socket>()
  const server = await rawServer(t, (socket, request) => {
    if (!hasForgotten) known.add(socket)
    if (hasForgotten && known.has(socket)) fail(socket, request)
    else setTimeout(sends(200, message), 20, socket)
  })
  return { ...server, forget: () => (hasForgotten = true) }
}

const { fetch: _, ...overNode } = transports

for (const [transport, chosen] of Object.entries(overNode)) {
  const clientOf = ({ url }: RawServer): Anthropic =>
    new Anthropic({ apiKey: 'key', baseURL: url, maxRetries: 0, ...chosen })

  for (const [name, fail] of Object.entries({ reset: resets, end: closes })) {
    test(`${transport}: six idle connections that ${name} take no retry, and one new connection`, async (t) => {
      const server = await forgetfulServer(t, fail)
      const client = clientOf(server)
      await Promise.all(Array.from({ length: 6 }, () => client.messages.create(params)))
      assert.equal(server.connections(), 6)
      server.forget()
      assert.deepEqual(await client.messages.create(params), hello)
      assert.equal(server.connections(), 7)
    })

    test(`${transport}: a long body is sent again whole after an idle connection that ${name}`, async (t) => {
      const server = await forgetfulServer(t, fail)
      const client = clientOf(server)
      const long = { ...params, messages: [{ role: 'user' as const, content: 'x'.repeat(200_000) }] }
      // Encoded in pieces from the second time on.
      for (let i = 0; i < 2; i++) await client.messages.create(long)
      server.forget()
      assert.deepEqual(await client.messages.create(long), hello)
    })
  }

  test(`${transport}: a response that breaks off on an idle connection is an attempt`, async (t) => {
    const server = await forgetfulServer(t, (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-le'))
    const client = clientOf(server)
    await client.messages.create(params)
    server.forget()
    await assert.rejects(client.messages.create(params), Anthropic.APIConnectionError)
    assert.equal(server.count(), 2)
  })

  test(`${transport}: a new connection that is reset is an attempt`, async (t) => {
    const server = await rawServer(t, resets)
    await assert.rejects(clientOf(server).messages.create(params), { name: 'APIConnectionError', code: 'ECONNRESET' })
    assert.equal(server.count(), 1)
  })
}

// Aborts

const stages: Record<string, Respond> = {
  'before the response': () => {},
  'in the headers': raw('HTTP/1.1 200 OK\r\ncontent-'),
  'in the body': raw(`${head(200, { ...json, 'content-length': 500 })}{`),
  'in a compressed body': raw(head(200, { ...encoded('gzip'), 'content-length': 500 })),
  'in the body of an error': raw(`${head(400, { ...json, 'content-length': 500 })}{`),
  'in the wait for a retry': sends(529, apiError('overloaded_error')),
}

for (const [method, , send] of methods) {
  for (const [stage, respond] of Object.entries(stages)) {
    for (const [transport, chosen] of Object.entries(transports)) {
      test(`${method} through ${transport}: an abort ${stage} is an APIUserAbortError`, async (t) => {
        const server = await rawServer(t, respond)
        const client = new Anthropic({ apiKey: 'key', baseURL: server.url, ...chosen })
        const controller = new AbortController()
        const reason = new Error('enough')
        const pending = send(client, controller.signal)
        setTimeout(() => controller.abort(reason), 60)
        await assert.rejects(
          pending,
          (error: Error) => error instanceof Anthropic.APIUserAbortError && error.cause === reason,
        )
      })
    }
  }
}
