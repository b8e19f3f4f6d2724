import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { APIError, AnthropicError } from '../types/error.ts'
import { errorFrom } from '../types/error-response.ts'
import { decodeEvents, parseEvent } from './event-stream.ts'
import { encodeSse } from './sse.ts'

async function* body(...texts: string[]) {
  for (const text of texts) yield new TextEncoder().encode(text)
}

test('decodeEvents() yields the events of a stream, pings and unknown ones included', async () => {
  const events = await Array.fromAsync(
    decodeEvents(
      body(
        'event: ping\ndata: {"type": "ping"}\n\n',
        'event: tomorrow\ndata: {"type":"tomorrow","more":[1]}   \n\n',
        'event: message_stop\ndata: {"type":"message_stop"  }\n\n',
      ),
    ),
  )
  assert.deepEqual(events, [{ type: 'ping' }, { type: 'tomorrow', more: [1] }, { type: 'message_stop' }])
})

test('decodeEvents() throws the error of an error event, with the request id of the response', async () => {
  const error = { type: 'overloaded_error', message: 'Overloaded' }
  const events = decodeEvents(body('data: {"type":"ping"}\n\n', encodeSse({ type: 'error', error })), {
    headers: new Headers({ 'request-id': 'req_1' }),
  })
  assert.deepEqual((await events.next()).value, { type: 'ping' })
  await assert.rejects(events.next(), (thrown) => {
    assert.ok(thrown instanceof APIError)
    assert.equal(thrown.status, undefined)
    assert.equal(thrown.type, 'overloaded_error')
    assert.equal(thrown.apiMessage, 'Overloaded')
    assert.equal(thrown.requestID, 'req_1')
    assert.deepEqual(thrown, errorFrom({ status: undefined, headers: thrown.headers, body: { type: 'error', error } }))
    return true
  })
})

test('parseEvent() needs either the name or the type', () => {
  assert.deepEqual(parseEvent({ event: undefined, data: '{"type":"message_stop"}' }), { type: 'message_stop' })
  assert.deepEqual(parseEvent({ event: 'message_stop', data: '{}' }), { type: 'message_stop' })
  assert.deepEqual(parseEvent({ event: 'ping', data: '' }), { type: 'ping' })
  assert.equal(parseEvent({ event: undefined, data: '{"object":"chat.completion.chunk"}' }), undefined)
  assert.equal(parseEvent({ event: undefined, data: '[DONE]' }), undefined)
  assert.equal(parseEvent({ event: 'message_stop', data: '' }), undefined)
})

test('parseEvent() reads an error of any shape', () => {
  const error = { type: 'api_error', message: 'x' }
  assert.deepEqual(parseEvent({ event: undefined, data: JSON.stringify({ type: 'error', error }) }), {
    type: 'error',
    error,
  })
  assert.deepEqual(parseEvent({ event: 'error', data: JSON.stringify({ error }) }), { type: 'error', error })
  for (const message of ['upstream is gone', '"upstream is gone"', '["upstream is gone"]', '{}', 'null'])
    assert.deepEqual(parseEvent({ event: 'error', data: message }), {
      type: 'error',
      error: { type: 'api_error', message },
    })
  assert.deepEqual(parseEvent({ event: 'error', data: '{"error":"upstream is gone","code":5}' }), {
    type: 'error',
    error: { type: 'api_error', message: 'upstream is gone' },
    code: 5,
  })
})

test('parseEvent() names an event that is not JSON and shows its beginning', () => {
  assert.throws(
    () => parseEvent({ event: 'content_block_delta', data: `{"type":"cont${'x'.repeat(200)}` }),
    (thrown) => {
      assert.ok(thrown instanceof AnthropicError)
      assert.match(
        thrown.message,
        /^Cannot read event content_block_delta: its data is not a JSON object: {"type":"contx{80,}…$/,
      )
      assert.ok(thrown.cause instanceof SyntaxError)
      return true
    },
  )
  assert.throws(() => parseEvent({ event: undefined, data: '7' }), {
    message: 'Cannot read event without a name: its data is not a JSON object: 7',
  })
})

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', '\\', '}', '\n', ' ', 'é') }),
)
const delta = fc.oneof(
  text.map((text) => ({ type: 'text_delta', text })),
  text.map((partial_json) => ({ type: 'input_json_delta', partial_json })),
  text.map((thinking) => ({ type: 'thinking_delta', thinking })),
)

/** A delta as the API writes it: with blanks before its last brace. */
function written(index: number, delta: object, blanks = 2): string {
  const json = JSON.stringify({ type: 'content_block_delta', index, delta })
  return `${json.slice(0, -1)}${' '.repeat(blanks)}}`
}

test('parseEvent() reads a delta as JSON.parse() does, whatever its text', () => {
  fc.assert(
    fc.property(fc.nat(12), delta, fc.nat(20), (index, delta, blanks) => {
      const data = written(index, delta, blanks)
      const event = parseEvent({ event: 'content_block_delta', data })
      assert.deepEqual(event, JSON.parse(data))
      assert.equal(JSON.stringify(event), JSON.stringify(JSON.parse(data)))
    }),
  )
})

test('parseEvent() reads a changed delta as JSON.parse() does, or refuses it', () => {
  const unit = fc.constantFrom(...'"\\}{,: 01a\t\n')
  const change = fc.record({
    // From the start, or from the end.
    at: fc.integer({ min: -8, max: 110 }),
    length: fc.nat(2),
    insert: fc.string({ unit, maxLength: 2 }),
  })
  fc.assert(
    fc.property(fc.nat(12), delta, fc.array(change, { minLength: 1, maxLength: 2 }), (index, delta, changes) => {
      let data = written(index, delta)
      for (const { at, length, insert } of changes) data = spliced(data, at < 0 ? data.length + at : at, length, insert)
      assert.deepEqual(
        parsed(() => parseEvent({ event: undefined, data })),
        parsed(() => filled(JSON.parse(data))),
        data,
      )
    }),
    { numRuns: 2000 },
  )
})

function spliced(text: string, at: number, length: number, insert: string): string {
  return text.slice(0, at) + insert + text.slice(at + length)
}

/** The event with a type that a function parses; undefined if it throws or there is none. */
function parsed(parse: () => unknown): unknown {
  try {
    const event = parse() as { type?: unknown } | null
    return event?.type === undefined ? undefined : event
  } catch {
    return undefined
  }
}

/** The event with the text that its delta lacks. */
function filled(event: { type?: unknown; delta?: Record<string, unknown> } | null): unknown {
  if (event?.type !== 'content_block_delta') return event
  const name = texts[String(event.delta?.['type'])]
  return name === undefined ? event : { ...event, delta: { ...event.delta, [name]: event.delta![name] ?? '' } }
}

const texts: Record<string, string> = {
  text_delta: 'text',
  thinking_delta: 'thinking',
  signature_delta: 'signature',
  input_json_delta: 'partial_json',
}

test('parseEvent() reads a text that a delta lacks as an empty one', () => {
  for (const [type, field] of Object.entries(texts))
    for (const sent of [{ type }, { type, [field]: null }]) {
      const event = { type: 'content_block_delta', index: 0, delta: sent }
      const read = parseEvent({ event: undefined, data: JSON.stringify(event) })
      assert.deepEqual(read, { ...event, delta: { type, [field]: '' } })
    }
})

test('parseEvent() reads deltas with more fields and in other spellings', () => {
  const piece = { type: 'text_delta', text: 'a' }
  for (const event of [
    { type: 'content_block_delta', index: 10, delta: piece },
    { type: 'content_block_delta', index: 0, delta: { ...piece, more: 'b' } },
    { type: 'content_block_delta', index: 0, delta: { ...piece, text: 1 } },
    { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'a' } },
    { type: 'content_block_delta', index: 0, delta: piece, more: 'b' },
    { index: 0, type: 'content_block_delta', delta: piece },
  ])
    for (const data of [JSON.stringify(event), JSON.stringify(event, null, 1), `${JSON.stringify(event)} `])
      assert.deepEqual(parseEvent({ event: 'content_block_delta', data }), event)
})
