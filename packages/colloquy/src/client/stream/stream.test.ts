import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'node:test'
import { Anthropic } from '../client.ts'
import {
  faultServer,
  hello,
  helloEvents,
  params,
  start,
  text,
  textStart,
  type Answer,
} from '../request/fault-server.test.ts'
import { MessageStream } from './message-stream.ts'
import { Stream } from './stream.ts'

const streaming: Anthropic.MessageCreateParamsStreaming = { ...params, stream: true }
const events = helloEvents.filter(({ type }) => type !== 'ping')

function says(answer: Answer): void {
  answer
    .stream()
    .send(...helloEvents)
    .end()
}

function begins(answer: Answer): void {
  answer.stream().send(start, textStart, text('Hel'))
}

test('a second loop over a stream throws', async (t) => {
  const server = await faultServer(t, says)
  const stream = await server.client().messages.create(streaming)
  await Array.fromAsync(stream)
  await assert.rejects(Array.fromAsync(stream), /Cannot read a stream twice: split it with tee\(\) first/)
  assert.equal(server.requests.length, 1)
})

test('next() may be called before the previous call has settled', async (t) => {
  const server = await faultServer(t, says)
  const iterator = (await server.client().messages.create(streaming))[Symbol.asyncIterator]()
  const results = await Promise.all(Array.from({ length: events.length + 2 }, () => iterator.next()))
  assert.deepEqual(
    results.map(({ value, done }) => (done ? 'done' : value.type)),
    [...events.map(({ type }) => type), 'done', 'done'],
  )
})

test('tee() gives two streams that are read independently', async (t) => {
  const server = await faultServer(t, says)
  const [left, right] = (await server.client().messages.create(streaming)).tee()
  assert.deepEqual(await Array.fromAsync(left), events)
  assert.deepEqual(await Array.fromAsync(right), events)
})

test('tee() closes the connection when both branches are left', async (t) => {
  const server = await faultServer(t, begins)
  const [left, right] = (await server.client().messages.create(streaming)).tee()
  for await (const _ of left) break
  const seen: string[] = []
  for await (const { type } of right) {
    seen.push(type)
    if (seen.length === 3) break
  }
  assert.deepEqual(seen, ['message_start', 'content_block_start', 'content_block_delta'])
  await server.idle()
})

test('toReadableStream() and fromReadableStream() are inverses', async (t) => {
  const server = await faultServer(t, says)
  const readable = (await server.client().messages.create(streaming)).toReadableStream()
  assert.deepEqual(await Array.fromAsync(Stream.fromReadableStream(readable)), events)
  const helper = server.client().messages.stream(params).toReadableStream()
  assert.deepEqual(await MessageStream.fromReadableStream(helper).finalMessage(), hello)
})

test('fromReadableStream() reads lines cut at any byte', async () => {
  const bytes = new TextEncoder().encode('{"a":"é"}\n\n{"b":2}\n{"c":3}')
  for (let size = 1; size <= bytes.length; size++) {
    const readable = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.subarray(at, at + size))
        controller.close()
      },
    })
    assert.deepEqual(await Array.fromAsync(Stream.fromReadableStream(readable)), [{ a: 'é' }, { b: 2 }, { c: 3 }])
  }
})

test('cancelling the readable stream closes the connection', async (t) => {
  const server = await faultServer(t, begins)
  const reader = (await server.client().messages.create(streaming)).toReadableStream().getReader()
  await reader.read()
  await reader.cancel()
  await server.idle()
})

test('toReadableStream() fails when the stream breaks off', async (t) => {
  const server = await faultServer(t, (answer) => answer.stream().send(start).reset())
  const readable = (await server.client().messages.create(streaming)).toReadableStream()
  await assert.rejects(Array.fromAsync(readable), Anthropic.APIStreamError)
})

test('asResponse() gives the response with its body unread', async (t) => {
  const server = await faultServer(t, says)
  const response = await server.client().messages.create(streaming).asResponse()
  assert.ok(response instanceof Response)
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  assert.match(await response.text(), /^event: message_start\n/)
  assert.equal(server.requests.length, 1)
})

test('withResponse() gives the response of the last attempt', async (t) => {
  const server = await faultServer(
    t,
    (answer) => answer.stream({ 'request-id': 'req_first' }).reset(),
    (answer) =>
      answer
        .stream({ 'request-id': 'req_second' })
        .send(...helloEvents)
        .end(),
  )
  const { data, response, request_id } = await server.client().messages.create(streaming).withResponse()
  assert.equal(request_id, 'req_second')
  assert.equal(response.headers.get('request-id'), 'req_second')
  assert.equal((await Array.fromAsync(data)).length, events.length)
})

test('create() sends the request before it is awaited', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  const call = server.client().messages.create(params)
  while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual(await call, hello)
  assert.deepEqual(await call.finally(() => {}), hello)
  assert.deepEqual(await Promise.all([call, call]), [hello, hello])
  assert.equal(server.requests.length, 1)
})

test('asResponse() and the result share one request', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  const call = server.client().messages.create(params)
  assert.deepEqual(await call, hello)
  assert.equal((await call.asResponse()).headers.get('request-id'), 'req_test')
  assert.equal(server.requests.length, 1)
})

test('a stream that is not read does not keep the process from ending', () => {
  const program = `
    import { Anthropic } from ${JSON.stringify(new URL('../client.ts', import.meta.url).href)}
    const body = ${JSON.stringify(helloEvents.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''))}
    const fetch = async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    const client = new Anthropic({ apiKey: 'key', fetch })
    await client.messages.create(${JSON.stringify(streaming)})`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    timeout: 20_000,
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
})

test('an open stream does not keep its request in memory', async (t) => {
  const server = await faultServer(t, (answer) => void answer.stream().send(start, textStart))
  const open = async (): Promise<[AsyncIterator<unknown>, WeakRef<object>]> => {
    const messages = [{ role: 'user' as const, content: 'Hi' }]
    const stream = await server.client().messages.create({ ...params, messages, stream: true })
    return [stream[Symbol.asyncIterator](), new WeakRef(messages)]
  }
  const [events, messages] = await open()
  await events.next()
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let i = 0; i < 20 && messages.deref(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    collect()
  }
  assert.equal(messages.deref(), undefined)
  await events.return!()
})
