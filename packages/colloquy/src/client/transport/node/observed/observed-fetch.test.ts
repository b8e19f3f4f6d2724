import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { faultServer, hello, params } from '../../../request/fault-server.test.ts'
import { isFetchReplaced } from './observed-fetch.ts'

interface Dispatcher {
  dispatch(options: { path: string }, handler: unknown): boolean
}

const places = [Symbol.for('undici.globalDispatcher.1'), Symbol.for('undici.globalDispatcher.2')]
const globals = globalThis as unknown as Record<symbol, Dispatcher>

/** The requests that `fetch` sends, by the channel on which undici tells tracers. */
function watchFetch(t: TestContext): string[] {
  const seen: string[] = []
  const listener = (message: unknown): void => {
    seen.push((message as { request: { path: string } }).request.path)
  }
  subscribe('undici:request:create', listener)
  t.after(() => unsubscribe('undici:request:create', listener))
  return seen
}

test('a request goes through a fetch that the program has replaced, for as long as it is', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  const client = server.client()
  const bodies: unknown[] = []
  const mock = t.mock.method(globalThis, 'fetch', async (_: unknown, init?: RequestInit) => {
    bodies.push(init?.body)
    return Response.json(hello)
  })
  const messages = [{ role: 'user' as const, content: 'x'.repeat(120_000) }]
  for (let sent = 0; sent < 2; sent++) await client.messages.create({ ...params, messages })
  assert.deepEqual(bodies, Array(2).fill(JSON.stringify({ ...params, messages })))
  assert.deepEqual(server.requests, [])
  mock.mock.restore()
  await client.messages.create(params)
  assert.equal(server.requests.length, 1)
})

test('a replaced fetch is not used with ca, proxy or transport, which it would not obey', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  const mock = t.mock.method(globalThis, 'fetch', async () => Response.json(hello))
  for (const options of [{ ca: [] }, { proxy: server.url }, { transport: 'node' as const }]) {
    assert.deepEqual(await server.client(options).messages.create(params), hello)
  }
  assert.equal(server.requests.length, 3)
  assert.equal(mock.mock.callCount(), 0)
})

test('what Next.js puts around fetch is not a replacement', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  const { fetch } = globalThis
  const around = Object.assign(() => Promise.reject(new Error('called')), { _nextOriginalFetch: fetch })
  t.after(() => (globalThis.fetch = fetch))
  globalThis.fetch = around
  assert.deepEqual(await server.client().messages.create(params), hello)
})

test('a request goes through fetch when undici has another dispatcher', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  await (await fetch(server.url)).text()
  const plain = globals[places[0]!]!
  assert.equal(isFetchReplaced(), false)
  const setDispatcher = (dispatcher: Dispatcher): void => places.forEach((place) => (globals[place] = dispatcher))
  t.after(() => setDispatcher(plain))
  const dispatched: string[] = []
  const dispatch: Dispatcher['dispatch'] = (options, handler) => {
    dispatched.push(options.path)
    return plain.dispatch(options, handler)
  }
  class MockAgent {
    dispatch = dispatch
  }
  const composed = new Proxy(plain, {
    get: (target, key) => (key === 'dispatch' ? dispatch : Reflect.get(target, key)),
  })
  for (const dispatcher of [new MockAgent(), composed]) {
    setDispatcher(dispatcher)
    assert.deepEqual(await server.client().messages.create(params), hello)
  }
  assert.deepEqual(dispatched, ['/v1/messages', '/v1/messages'])
})

test('a request goes through fetch when the Agent of undici connects in its own way', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  await (await fetch(server.url)).text()
  const plain = globals[places[0]!]!
  const Agent = plain.constructor as new (options: object) => Dispatcher
  t.after(() => (globals[places[0]!] = plain))
  globals[places[0]!] = new Agent({ keepAliveTimeout: 1000 })
  assert.equal(isFetchReplaced(), false)
  const hosts: unknown[] = []
  globals[places[0]!] = new Agent({
    connect: ({ hostname, port }: { hostname: string; port: string }, callback: (...found: unknown[]) => void) => {
      hosts.push(hostname)
      const socket = connect(Number(port), '127.0.0.1', () => callback(null, socket))
    },
  })
  const client = server.client({ baseURL: server.url.replace('127.0.0.1', 'api.invalid') })
  assert.deepEqual(await client.messages.create(params), hello)
  assert.deepEqual(hosts, ['api.invalid'])
})

test('a request goes through fetch while a tracer watches only that', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  const seen = watchFetch(t)
  assert.deepEqual(await server.client().messages.create(params), hello)
  assert.deepEqual(seen, ['/v1/messages'])
  const watchHttp = (): void => {}
  subscribe('http.client.request.start', watchHttp)
  t.after(() => unsubscribe('http.client.request.start', watchHttp))
  assert.deepEqual(await server.client().messages.create(params), hello)
  assert.equal(seen.length, 1)
})
