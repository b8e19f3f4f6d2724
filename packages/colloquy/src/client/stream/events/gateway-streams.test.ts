import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Anthropic } from '../../client.ts'
import {
  hello,
  inOnePiece,
  overloaded,
  params,
  start,
  stop,
  text,
  textStart,
  textStop,
  endTurn,
} from '../../request/fault-server.test.ts'

type Event = typeof start

interface Sent {
  body: string
  type?: string | undefined
}

const events = [start, textStart, text('Hel'), text('lo!'), textStop, endTurn, stop]
const whole = inOnePiece(...events)

function clientOf({ body, type }: Sent): Anthropic {
  const bytes = new TextEncoder().encode(body)
  const fetch = (): Response => {
    // The first piece ends within the first line.
    const pieces = [bytes.subarray(0, 3), bytes.subarray(3)]
    const stream = new ReadableStream({
      pull(controller) {
        const piece = pieces.shift()
        if (piece) controller.enqueue(piece)
        else controller.close()
      },
    })
    return new Response(stream, { headers: type === undefined ? {} : { 'content-type': type } })
  }
  return new Anthropic({ fetch, baseURL: 'http://api.test', apiKey: 'key', maxRetries: 0 })
}

async function textOf(stream: AsyncIterable<Anthropic.MessageStreamEvent>): Promise<string> {
  let all = ''
  for await (const event of stream)
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') all += event.delta.text
  return all
}

const framed = (write: (event: Event, index: number) => string): string => events.map(write).join('')

/** Streams as gateways write them. All give the same message. */
const readable: Record<string, Sent> = {
  ...Object.fromEntries(
    [
      undefined,
      'application/json',
      'application/x-ndjson',
      'text/plain',
      'application/octet-stream',
      ' Text/Event-Stream',
    ].map((type) => [`the content type ${type}`, { body: whole, type }]),
  ),
  'the complete message as JSON': { body: JSON.stringify(hello), type: 'application/json' },
  'a comment before the first event and JSON as type': { body: `: PROCESSING\n\n${whole}`, type: 'application/json' },
  'CR as line end': { body: whole.replaceAll('\n', '\r') },
  'CR LF as line end': { body: whole.replaceAll('\n', '\r\n') },
  'a BOM': { body: `\ufeff${whole}` },
  'id and retry fields': { body: framed((event, index) => `id: ${index}\nretry: 5\n${inOnePiece(event)}`) },
  'no names of events': { body: framed((event) => `data: ${JSON.stringify(event)}\n\n`) },
  'one name for all events': { body: framed((event) => `event: message\ndata: ${JSON.stringify(event)}\n\n`) },
  'no blanks after colons': { body: framed((event) => `event:${event.type}\ndata:${JSON.stringify(event)}\n\n`) },
  'data on several lines': {
    body: framed((event) => `${JSON.stringify(event, null, 1).replaceAll(/^/gm, 'data: ')}\n\n`),
  },
  '[DONE] at the end': { body: `${whole}data: [DONE]\n\n` },
  'an error event without data': {
    body: `${inOnePiece(start)}event: error\ndata:\n\n${inOnePiece(...events.slice(1))}`,
  },
  'an event of its own': { body: `event: vendor\ndata: {"cost":1}\n\n${whole}` },
  'message_start twice': { body: inOnePiece(start, ...events) },
  'no end of the block': { body: inOnePiece(start, textStart, text('Hel'), text('lo!'), endTurn, stop) },
  'another index': {
    body: inOnePiece(...events.map((event) => ('index' in event ? { ...event, index: 2 ** 40 } : event))),
  },
}

for (const [name, sent] of Object.entries(readable)) {
  test(`a stream with ${name} is read`, async () => {
    const labeled: Sent = 'type' in sent ? sent : { ...sent, type: 'text/event-stream' }
    const { content, stop_reason } = await clientOf(labeled).messages.stream(params).finalMessage()
    assert.deepEqual([content, stop_reason], [hello.content, 'end_turn'])
    assert.equal(await textOf(await clientOf(labeled).messages.create({ ...params, stream: true })), 'Hello!')
  })
}

test('a stream continues the text that message_start has', async () => {
  const begun = { ...start, message: { ...hello, content: [{ type: 'text', text: 'Hel' }] } }
  const body = inOnePiece(begun, text('lo!'), textStop, endTurn, stop)
  assert.equal(await clientOf({ body, type: 'text/event-stream' }).messages.stream(params).finalText(), 'Hello!')
})

test('a stream goes by the indexes of its events, whichever they are', async () => {
  for (const [first, second] of [
    [1, 2],
    [0, 2],
    [3, 3],
  ] as const) {
    const numbered = (index: number, ...events: Event[]): Event[] => events.map((event) => ({ ...event, index }))
    const body = inOnePiece(
      start,
      ...numbered(first, textStart, text('a'), textStop),
      ...numbered(second, textStart, text('b'), text('c'), textStop),
      endTurn,
      stop,
    )
    const heard: unknown[] = []
    await clientOf({ body, type: 'text/event-stream' })
      .messages.stream(params)
      .on('text', (...values) => heard.push(values))
      .on('contentBlock', (block) => heard.push(block.type === 'text' && block.text))
      .done()
    assert.deepEqual(heard, [['a', 'a'], 'a', ['b', 'b'], ['c', 'bc'], 'bc'])
  }
})

test('a delta without its text is an empty one to each reader', async () => {
  const empty = { ...text(''), delta: { type: 'text_delta', text: null } }
  const sent: Sent = { body: inOnePiece(start, textStart, empty, text('a'), endTurn, stop), type: 'text/event-stream' }
  const heard: unknown[] = []
  const stream = clientOf(sent).messages.stream(params)
  stream.on('text', (delta, snapshot) => heard.push([delta, snapshot]))
  assert.equal(await stream.finalText(), 'a')
  assert.deepEqual(heard, [
    ['', ''],
    ['a', 'a'],
  ])
  assert.equal(await textOf(await clientOf(sent).messages.create({ ...params, stream: true })), 'a')
})

const lasting = { type: 'error', error: { type: 'invalid_request_error', message: 'Wrong model' } }

/** Errors as gateways send them with a status of 200. Their words are kept. */
const failing: Record<string, Sent & { expected: object }> = {
  'JSON without a content type': {
    body: JSON.stringify(lasting),
    expected: { name: 'BadRequestError', apiMessage: 'Wrong model' },
  },
  'JSON as text/plain': {
    body: ` \n${JSON.stringify(overloaded)}`,
    type: 'text/plain',
    expected: { name: 'OverloadedError', apiMessage: 'Overloaded' },
  },
  'JSON of another shape': {
    body: '{"error":{"message":"No quota"}}',
    type: 'text/html',
    expected: { name: 'APIResponseError', message: /No quota/ },
  },
  'a message without usage': {
    body: JSON.stringify({ ...hello, usage: undefined }),
    expected: { name: 'APIResponseError', message: /as a stream of events: it is JSON$/ },
  },
  'a message with a block that is not one': {
    body: JSON.stringify({ ...hello, content: [null] }),
    expected: { name: 'APIResponseError', message: /as a stream of events: it is JSON$/ },
  },
  'JSON as an event stream': {
    body: JSON.stringify(lasting),
    type: 'text/event-stream',
    expected: { name: 'APIStreamError', message: /without message_stop \(text\/event-stream\): found .*Wrong model/ },
  },
  'text as an event stream': {
    body: 'upstream connect error',
    type: 'text/event-stream',
    expected: { name: 'APIStreamError', message: /: found "upstream connect error"$/ },
  },
  HTML: {
    body: `<html>${'x'.repeat(500)}`,
    type: 'text/html',
    expected: { name: 'APIStreamError', message: /\(text\/html\): found "<html>x{94}"$/ },
  },
  'an error event of mere text': {
    body: `${inOnePiece(start)}event: error\ndata: upstream broke\n\n`,
    type: 'text/event-stream',
    expected: { name: 'APIStreamError', apiMessage: 'upstream broke' },
  },
  'an error event with fields of its own': {
    body: 'event: error\ndata: {"error":{"message":"No quota","type":null,"code":402},"trace":"t1"}\n\n',
    type: 'text/event-stream',
    expected: {
      name: 'APIError',
      type: 'api_error',
      apiMessage: 'No quota',
      error: { type: 'error', error: { message: 'No quota', type: 'api_error', code: 402 }, trace: 't1' },
    },
  },
  'an error event of text in JSON': {
    body: 'event: error\ndata: {"error":"upstream broke"}\n\n',
    type: 'text/event-stream',
    expected: { name: 'APIError', apiMessage: 'upstream broke' },
  },
  'an error without a type or name': {
    body: `${inOnePiece(start)}data: {"error":{"message":"No quota"}}\n\n`,
    type: 'text/event-stream',
    expected: { name: 'APIStreamError', apiMessage: 'No quota' },
  },
}

for (const [name, { expected, ...sent }] of Object.entries(failing)) {
  test(`a stream that is ${name} is an error with its words`, async () => {
    await assert.rejects(clientOf(sent).messages.stream(params).finalMessage(), expected)
    await assert.rejects(
      async () => textOf(await clientOf(sent).messages.create({ ...params, stream: true })),
      expected,
    )
  })
}

test('an error event is retried by the status that a gateway put into it', async () => {
  for (const [code, expected] of [[400, 1] as const, [529, 2] as const]) {
    let requests = 0
    const body = `event: error\ndata: {"error":{"message":"No","code":${code}}}\n\n`
    const fetch = (): Response => {
      requests++
      return new Response(body, { headers: { 'content-type': 'text/event-stream', 'retry-after-ms': '1' } })
    }
    const client = new Anthropic({ fetch, baseURL: 'http://api.test', apiKey: 'key', maxRetries: 1 })
    await assert.rejects(client.messages.stream(params).finalMessage(), { apiMessage: 'No' })
    assert.equal(requests, expected)
  }
})
