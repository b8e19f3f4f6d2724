import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Anthropic } from '../client.ts'
import type { ClientOptions } from '../options.ts'
import { faultServer, hello, helloEvents, params } from './fault-server.test.ts'

const transports: Record<string, ClientOptions> = { sockets: {}, fetch: { fetch: (url, init) => fetch(url, init) } }

for (const [name, options] of Object.entries(transports)) {
  const client = async (t: TestContext): Promise<Anthropic> =>
    (await faultServer(t, (answer) => answer.json(200, hello, { 'x-some': 'thing' }))).client(options)

  test(`${name}: asResponse(), the result and withResponse() share one Response`, async (t) => {
    const promise = (await client(t)).messages.create(params)
    const response = await promise.asResponse()
    assert.equal(response.bodyUsed, false)
    const message = await promise
    assert.equal(response.bodyUsed, true)
    const all = await promise.withResponse()
    assert.equal(all.response, response)
    assert.equal(all.data, message)
    assert.equal(await promise.asResponse(), response)
    assert.equal(all.request_id, 'req_test')
    assert.equal(response.headers.get('x-some'), 'thing')
  })

  test(`${name}: withResponse() returns one Response, whose body was read`, async (t) => {
    const promise = (await client(t)).messages.create(params)
    const { response } = await promise.withResponse()
    assert.equal((await promise.withResponse()).response, response)
    assert.equal(response.bodyUsed, true)
    await assert.rejects(response.text(), TypeError)
  })

  test(`${name}: a result whose body the caller has read is one clear error`, async (t) => {
    const promise = (await client(t)).messages.create(params)
    const response = await promise.asResponse()
    assert.deepEqual(await response.json(), hello)
    await assert.rejects(promise, { name: 'AnthropicError', message: /its body was read before/ })
  })

  test(`${name}: a stream is read through the Response that was given before`, async (t) => {
    const server = await faultServer(t, (answer) =>
      answer
        .stream()
        .send(...helloEvents)
        .end(),
    )
    const promise = server.client(options).messages.create({ ...params, stream: true })
    const response = await promise.asResponse()
    const events = await Array.fromAsync(await promise)
    assert.equal(events.length, helloEvents.length - 1)
    assert.equal(response.bodyUsed, true)
  })

  test(`${name}: a Response that was given can be aborted, also after its promise is dropped`, async (t) => {
    const server = await faultServer(t, (answer) => void answer.head(200, { 'content-length': '100' }).send('{'))
    const { signal, abort } = abortable()
    const response = await server.client(options).messages.create(params, { signal }).asResponse()
    await collectGarbage()
    const text = response.text()
    await turn()
    abort()
    await assert.rejects(text)
    await server.idle()
  })

  test(`${name}: asResponse() holds nothing on a signal once its Response is dropped`, async (t) => {
    const target = await client(t)
    const { signal } = abortable()
    for (let i = 0; i < 5; i++) await (await target.messages.create(params, { signal }).asResponse()).text()
    for (let i = 0; i < 50 && getEventListeners(signal, 'abort').length > 0; i++) await collectGarbage()
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })
}

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}

async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  await turn()
  collect()
  await turn()
}
