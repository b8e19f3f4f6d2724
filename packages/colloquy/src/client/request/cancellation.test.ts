import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { onAbort } from './cancellation.ts'
import { Anthropic } from '../client.ts'
import {
  faultServer,
  hello,
  helloEvents,
  inOnePiece,
  overloaded,
  params,
  start,
  text,
  textStart,
  type Answer,
  type FaultServer,
} from './fault-server.test.ts'
import type { Stream } from '../stream/stream.ts'

function begins(answer: Answer): void {
  answer.stream().send(start, textStart, text('Hel'))
}

const streaming: Anthropic.MessageCreateParamsStreaming = { ...params, stream: true }

// No abort may leave an unhandled rejection.
const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))
after(() => assert.deepEqual(unhandled, []))

async function asked({ requests }: FaultServer, times: number): Promise<void> {
  while (requests.length < times) await sleep(5)
}

function isAbort(error: unknown): true {
  assert.ok(error instanceof Anthropic.APIUserAbortError, String(error))
  return true
}

test('an aborted signal ends a request before anything is sent', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  await assert.rejects(server.client().messages.create(params, { signal: AbortSignal.abort() }), isAbort)
  assert.equal(server.requests.length, 0)
})

test('an abort before the response is an APIUserAbortError and closes the connection', async (t) => {
  const server = await faultServer(t, () => {})
  const controller = new AbortController()
  const call = server.client().messages.create(params, { signal: controller.signal })
  await asked(server, 1)
  controller.abort('enough')
  await assert.rejects(call, (error: Error) => isAbort(error) && error.cause === 'enough')
  await server.idle()
  assert.equal(server.requests.length, 1)
})

test('an abort in the middle of a body is an APIUserAbortError and closes the connection', async (t) => {
  const server = await faultServer(
    t,
    (answer) => void answer.head(200, { 'content-type': 'application/json' }).send('{"id"'),
  )
  const controller = new AbortController()
  const call = server.client().messages.create(params, { signal: controller.signal })
  setTimeout(() => controller.abort(), 50)
  await assert.rejects(call, isAbort)
  await server.idle()
})

test('an abort during the wait for a retry ends the wait', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(529, overloaded, { 'retry-after': '30' }))
  const controller = new AbortController()
  const onRetry = (): void => void setTimeout(() => controller.abort(), 10)
  await assert.rejects(server.client().messages.create(params, { signal: controller.signal, onRetry }), isAbort)
  assert.equal(server.requests.length, 1)
})

test('an abort between events rejects the iteration, by signal and by controller', async (t) => {
  const server = await faultServer(t, begins)
  for (const way of ['signal', 'controller']) {
    const controller = new AbortController()
    const stream = await server.client().messages.create(streaming, { signal: controller.signal })
    const read = async (): Promise<void> => {
      for await (const event of stream) {
        if (event.type === 'content_block_start') (way === 'signal' ? controller : stream.controller).abort()
      }
    }
    await assert.rejects(read(), isAbort)
  }
  await server.idle()
})

test('an abort rejects an iteration that waits', async (t) => {
  const server = await faultServer(t, begins)
  const stream = await server.client().messages.create(streaming)
  setTimeout(() => stream.controller.abort(), 50)
  await assert.rejects(Array.fromAsync(stream), isAbort)
  await server.idle()
})

test('an aborted stream yields nothing more, not even events that have arrived', async (t) => {
  const server = await faultServer(t, (answer) => void answer.stream().send(inOnePiece(start, textStart, text('Hel'))))
  const stream = await server.client().messages.create(streaming)
  const iterator = stream[Symbol.asyncIterator]()
  await iterator.next()
  stream.controller.abort()
  await assert.rejects(iterator.next(), isAbort)
})

test('stream.abort() causes no unhandled rejection', async (t) => {
  const server = await faultServer(t, begins)
  const heard: string[] = []
  const stream = server.client().messages.stream(params)
  stream.on('text', () => stream.abort())
  stream.on('abort', (error) => heard.push(error.name))
  await new Promise<void>((resolve) => stream.on('end', resolve))
  assert.deepEqual(heard, ['APIUserAbortError'])
  assert.ok(stream.aborted)
  const silent = server.client().messages.stream(params)
  silent.on('text', () => silent.abort())
  await asked(server, 2)
  await server.idle()
})

test('stream.abort() before the response rejects every waiting promise once', async (t) => {
  const server = await faultServer(t, () => {})
  const stream = server.client().messages.stream(params)
  const iteration = Array.fromAsync(stream)
  const waiting = [
    stream.finalMessage(),
    stream.done(),
    stream.finalText(),
    stream.emitted('text'),
    iteration,
    stream.withResponse(),
  ]
  setTimeout(() => stream.abort(), 20)
  const outcomes = await Promise.allSettled(waiting)
  for (const outcome of outcomes) isAbort(outcome.status === 'rejected' && outcome.reason)
  await server.idle()
})

test('an abort of a plain request causes no unhandled rejection', async (t) => {
  const server = await faultServer(t, () => {})
  const controller = new AbortController()
  void server.client().messages.create(params, { signal: controller.signal })
  void server.client().messages.stream(params, { signal: controller.signal })
  await asked(server, 2)
  controller.abort()
  await server.idle()
})

test('leaving a loop early closes the connection', async (t) => {
  const server = await faultServer(t, begins)
  for await (const event of await server.client().messages.create(streaming)) {
    if (event.type === 'content_block_delta') break
  }
  await server.idle()
  for await (const event of server.client().messages.stream(params)) {
    if (event.type === 'content_block_delta') break
  }
  await server.idle()
})

test('200 streams that are dropped half read leave no connection open', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const server = await faultServer(t, begins)
  const client = server.client()
  async function drop(): Promise<void> {
    const iterator = (await client.messages.create(streaming))[Symbol.asyncIterator]()
    for (let i = 0; i < 3; i++) await iterator.next()
  }
  for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 20 }, drop))
  assert.equal(server.requests.length, 200)
  for (let i = 0; i < 100 && server.sockets.size > 0; i++) {
    collect()
    await sleep(10)
  }
  assert.equal(server.sockets.size, 0)
})

test('100 requests share one listener on their signal, removed with the last', async (t) => {
  const server = await faultServer(t, (answer) => {
    if (answer.request.body.includes('"stream":true')) begins(answer)
    else answer.json(200, hello)
  })
  const warnings: Error[] = []
  const warned = (warning: Error): void => void warnings.push(warning)
  process.on('warning', warned)
  t.after(() => process.off('warning', warned))
  const { signal } = new AbortController()
  const client = server.client()
  const streams: Stream<Anthropic.MessageStreamEvent>[] = []
  for (let i = 0; i < 50; i++) streams.push(await client.messages.create(streaming, { signal }))
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  await Promise.all(Array.from({ length: 50 }, () => client.messages.create(params, { signal })))
  for (const stream of streams) await stream[Symbol.asyncIterator]().return!()
  await assert.rejects(client.messages.create({ ...params, max_tokens: 1n as unknown as number }, { signal }))
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  assert.deepEqual(warnings, [])
})

test('onAbort() calls only callbacks that were not removed', () => {
  const controller = new AbortController()
  const called: string[] = []
  onAbort(controller.signal, (reason) => called.push(`first ${String(reason)}`))
  const stop = onAbort(controller.signal, () => called.push('second'))
  stop()
  stop()
  controller.abort('why')
  assert.deepEqual(called, ['first why'])
})

/** A stream whose whole body has arrived. */
async function arrived(signal: AbortSignal): Promise<Stream<Anthropic.MessageStreamEvent>> {
  const body = helloEvents.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
  const fetch = async (): Promise<Response> => new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  return new Anthropic({ apiKey: 'key', fetch }).messages.create(streaming, { signal })
}

for (const way of ['signal', 'controller'] as const)
  test(`an abort by the ${way} ends a loop over a stream that has arrived`, async () => {
    const controller = new AbortController()
    const stream = await arrived(controller.signal)
    const seen: string[] = []
    await assert.rejects(async () => {
      for await (const { type } of stream)
        if (seen.push(type) === 2) (way === 'signal' ? controller : stream.controller).abort()
    }, isAbort)
    assert.equal(seen.length, 2)
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  })

test('a stream listens to its signal until it was read or left', async () => {
  const { signal } = new AbortController()
  const listeners = (): number => getEventListeners(signal, 'abort').length
  const read = await arrived(signal)
  for await (const { type } of read) assert.equal(listeners(), 1, type)
  assert.equal(listeners(), 0)
  for (const last of ['content_block_start', 'message_stop'])
    for await (const { type } of await arrived(signal)) if (type === last) break
  assert.equal(listeners(), 0)
})
