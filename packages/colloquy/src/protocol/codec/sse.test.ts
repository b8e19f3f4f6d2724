import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { AnthropicError } from '../types/error.ts'
import type { ServerEvent } from '../types/event.ts'
import { type ServerSentEvent, SseParser, decodeSse, encodeSse } from './sse.ts'
import { unlisted } from '../types/unlisted.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

function parse(chunks: Iterable<Uint8Array>, options?: { maxEventBytes?: number }): ServerSentEvent[] {
  const parser = new SseParser(options)
  const events: ServerSentEvent[] = []
  for (const chunk of chunks) events.push(...parser.push(chunk))
  return [...events, ...parser.end()]
}

function* cut(body: Uint8Array, places: number[]): Generator<Uint8Array> {
  let start = 0
  for (const place of [...places.map((place) => place % (body.length + 1)).toSorted((a, b) => a - b), body.length]) {
    yield body.subarray(start, place)
    start = place
  }
}

const anyEvent: fc.Arbitrary<ServerEvent> = fc
  .record({ type: fc.constantFrom('content_block_delta', 'ping', 'x'), fields: fc.jsonValue() })
  .map(unlisted)

test('encodeSse() writes an event as the API does', () => {
  assert.equal(encodeSse({ type: 'message_stop' }), 'event: message_stop\ndata: {"type":"message_stop"}\n\n')
})

test('SseParser decodes encodeSse(), cut at every byte', () => {
  const events: ServerEvent[] = [
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'å\r\n\u2028 日本 🦋 \ud83e' } },
    { type: 'message_stop' },
  ]
  const body = bytes(events.map(encodeSse).join(''))
  for (let place = 0; place <= body.length; place++) {
    const read = parse([body.subarray(0, place), body.subarray(place)])
    assert.deepEqual(
      read.map(({ data }): unknown => JSON.parse(data)),
      events,
    )
  }
})

test('SseParser decodes encodeSse() of any event, cut anywhere', () => {
  fc.assert(
    fc.property(fc.array(anyEvent), fc.array(fc.nat()), (events, places) => {
      const read = parse(cut(bytes(events.map(encodeSse).join('')), places))
      assert.deepEqual(
        read,
        events.map((event) => ({ event: event.type, data: JSON.stringify(event) })),
      )
    }),
  )
})

// As little code as possible, by the standard's own words: whole text, one line after the other.
function reference(text: string): ServerSentEvent[] {
  const events: ServerSentEvent[] = []
  let event = ''
  let data: string[] = []
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/)
  for (const [index, line] of lines.entries()) {
    const [, field, value = ''] = /^([^:]*)(?:: ?)?(.*)$/s.exec(line)!
    if (line !== '' && field === 'event') event = value
    if (line !== '' && field === 'data') data.push(value)
    const isMissing = index === lines.length - 1
    if (line !== '' && !isMissing) continue
    if (data.length > 0 && line === '') events.push({ event: event || undefined, data: data.join('\n') })
    event = ''
    data = []
  }
  return events
}

test('SseParser parses any text as the standard specifies, cut anywhere', () => {
  const line = fc.constantFrom(
    'data: a',
    'data:a',
    'data:  a',
    'data',
    'data:',
    'data: ',
    'event: e',
    'event',
    'event:',
    'event: ',
    ': comment',
    ':',
    'id: 1',
    'retry: 5',
    'other',
    'datax: 1',
    'Data: 1',
    'data: ü🦋',
    'data: a:b',
    'x',
    '',
    '',
    '',
  )
  const end = fc.constantFrom('\n', '\r', '\r\n')
  const text = fc
    .tuple(fc.constantFrom('', '\ufeff'), fc.array(fc.tuple(line, end)), line)
    .map(([bom, lines, last]) => bom + lines.flat().join('') + last)
  fc.assert(
    fc.property(text, fc.array(fc.nat()), (text, places) => {
      assert.deepEqual(parse(cut(bytes(text), places)), reference(text))
    }),
    { numRuns: 1_000 },
  )
})

test('SseParser yields an event with the chunk that completes it', () => {
  const parser = new SseParser()
  assert.deepEqual([...parser.push(bytes('data: 1\n'))], [])
  assert.deepEqual([...parser.push(bytes('\ndata: 2\r\r'))].length, 2)
  assert.deepEqual([...parser.push(bytes('\ndata: 3\n\n'))], [{ event: undefined, data: '3' }])
})

const almostUsual: Array<[text: string, event: ServerSentEvent]> = [
  ['event: \ndata: 1\n\n', { event: undefined, data: '1' }],
  ['event: x\ndata: 1\rdata: 2\n\n', { event: 'x', data: '1\n2' }],
  ['event: x\ndata: 1\n\r\n', { event: 'x', data: '1' }],
  ['event: x\rdata: 1\ndata: 2\n\n', { event: 'x', data: '1\n2' }],
  ['event: x\ndata: 1\ndata: 2\n\n', { event: 'x', data: '1\n2' }],
  ['event: x\ndata:1\n\n', { event: 'x', data: '1' }],
  ['event: x\ndata:  1\n\n', { event: 'x', data: ' 1' }],
  ['event:x\ndata: 1\n\n', { event: 'x', data: '1' }],
  ['evens: x\ndata: 1\n\n', { event: undefined, data: '1' }],
  ['event: x\n: data\ndata: 1\n\n', { event: 'x', data: '1' }],
]

for (const [text, event] of almostUsual) {
  test(`SseParser falls back to line parsing for ${JSON.stringify(text)}`, () =>
    assert.deepEqual(parse([bytes(text)]), [event]))
}

test('SseParser continues an event of an earlier chunk', () => {
  const event = { event: 'x', data: '1\n2' }
  assert.deepEqual(parse([bytes('data: 1\n'), bytes('event: x\ndata: 2\n\n')]), [event])
  assert.deepEqual(parse([bytes('data: 1\nid: '), bytes('event: y\nevent: x\ndata: 2\n\n')]), [event])
})

test('SseParser yields a last event without its blank line, and drops one that was cut', () => {
  assert.deepEqual(parse([bytes('data: 1\n\ndata: 2\n')]).length, 2)
  assert.deepEqual(parse([bytes('data: 1\n\ndata: 2')]).length, 1)
  assert.deepEqual(parse([bytes('data: 1\n\ndata: 2\nda')]).length, 1)
})

test('SseParser replaces bytes that are not UTF-8', () => {
  assert.deepEqual(parse([new Uint8Array([...bytes('data: '), 0xff, 10, 10])]), [{ event: undefined, data: '\ufffd' }])
})

test('SseParser accepts maxEventBytes and refuses one byte more, cut anywhere', () => {
  const body = bytes('data: 1\n\n: é🦋\nevent: x\ndata: é\ndata: 🦋\n\ndata: 2\n\n')
  const maxEventBytes = bytes(': é🦋\nevent: x\ndata: é\ndata: 🦋\n\n').length
  for (let place = 0; place <= body.length; place++) {
    const chunks = [body.subarray(0, place), body.subarray(place)]
    assert.equal(parse(chunks, { maxEventBytes }).length, 3)
    assert.throws(() => parse(chunks, { maxEventBytes: maxEventBytes - 1 }), AnthropicError)
  }
})

test('SseParser refuses a line that does not end, and names the limit', () => {
  const parser = new SseParser({ maxEventBytes: 1_000 })
  assert.deepEqual([...parser.push(bytes(`data: ${'a'.repeat(900)}`))], [])
  assert.throws(() => [...parser.push(bytes('a'.repeat(100)))], {
    name: 'AnthropicError',
    message: 'Cannot read an event of more than 1000 bytes, which is maxEventBytes',
  })
})

test('SseParser reads a long event in many chunks', () => {
  const text = 'é'.repeat(500_000)
  const body = bytes(`data: ${text}\n\n`)
  const chunks = Array.from({ length: Math.ceil(body.length / 100) }, (_, index) =>
    body.subarray(index * 100, index * 100 + 100),
  )
  assert.equal(parse(chunks)[0]?.data, text)
})

test('decodeSse() cancels the body when its reader stops early', async () => {
  let isOpen = true
  async function* body() {
    try {
      for (;;) yield bytes('data: 1\n\ndata: 2\n\n')
    } finally {
      isOpen = false
    }
  }
  for await (const event of decodeSse(body())) {
    assert.deepEqual(event, { event: undefined, data: '1' })
    break
  }
  assert.equal(isOpen, false)
})
