import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { Readable } from 'node:stream'
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
  await assert.rejects(Array.fromAsync(stream), /Cannot read a stream twice: use tee\(\)/)
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

test('fromReadableStream() reads lines that arrive as text', async () => {
  const readable = new ReadableStream({
    start(controller) {
      for (const piece of ['{"a":', '"é"}\n', '{"b":2}']) controller.enqueue(piece)
      controller.close()
    },
  })
  assert.deepEqual(await Array.fromAsync(Stream.fromReadableStream(readable)), [{ a: 'é' }, { b: 2 }])
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

const named = helloEvents.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')

for (const [kind, responseOf] of Object.entries({
  'a web stream': (text: string) => new Response(text),
  'a web stream of texts': (text: string) =>
    new Response(new Blob([text]).stream().pipeThrough(new TextDecoderStream() as never)),
  'a Node stream': (text: string) =>
    ({ headers: new Headers(), body: Readable.from([Buffer.from(text)]) }) as unknown as Response,
})) {
  test(`fromSSEResponse() reads the events of ${kind} without pings`, async () => {
    assert.deepEqual(await Array.fromAsync(Stream.fromSSEResponse(responseOf(named))), events)
  })

  test(`rawEvents() reads the events of ${kind} before they are parsed`, async () => {
    const raw = await Array.fromAsync(Stream.rawEvents(responseOf(`:\n${named}data: 1\ndata: 2\n\n`)))
    assert.equal(raw.map(({ raw: lines }) => `${lines.join('\n')}\n\n`).join(''), `${named}data: 1\ndata: 2\n\n`)
    assert.deepEqual(raw.at(-1), { event: null, data: '1\n2', raw: ['data: 1', 'data: 2'] })
    assert.deepEqual(
      raw.slice(0, -1).map(({ event }) => event),
      helloEvents.map(({ type }) => type),
    )
  })
}

test('fromSSEResponse() throws the error of an error event', async () => {
  const body = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
  const headers = { 'request-id': 'req_1' }
  const sent = new Response(`event: error\ndata: ${JSON.stringify(body)}\n\n`, { headers })
  await assert.rejects(Array.fromAsync(Stream.fromSSEResponse(sent, new AbortController())), {
    name: 'APIError',
    message: JSON.stringify(body),
    requestID: 'req_1',
  })
})

for (const [form, open] of Object.entries({
  'fromSSEResponse()': Stream.fromSSEResponse,
  'rawEvents()': Stream.rawEvents,
  'fromReadableStream()': ({ body }: Response, controller: AbortController) =>
    Stream.fromReadableStream(body!, controller),
})) {
  const opened = (): { body: ReadableStream<Uint8Array>; isClosed: () => boolean } => {
    let closed = false
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(form.includes('Read') ? '{}\n' : named)),
      cancel: () => void (closed = true),
    })
    return { body, isClosed: () => closed }
  }

  test(`${form} closes the body when a loop is left, and aborts the controller`, async () => {
    const { body, isClosed } = opened()
    const controller = new AbortController()
    for await (const _ of open(new Response(body), controller)) break
    assert.deepEqual([isClosed(), controller.signal.aborted], [true, true])
  })

  for (const isEarly of [true, false]) {
    test(`${form} ends when the controller aborts ${isEarly ? 'before' : 'in'} the loop`, async () => {
      const { body, isClosed } = opened()
      const controller = new AbortController()
      if (isEarly) controller.abort()
      const loop = async (): Promise<void> => {
        for await (const _ of open(new Response(body), controller)) controller.abort()
      }
      await assert.rejects(loop(), Anthropic.APIUserAbortError)
      assert.ok(isClosed())
    })
  }
}

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
