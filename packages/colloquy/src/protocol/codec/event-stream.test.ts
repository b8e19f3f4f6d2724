import assert from 'node:assert/strict'
import test from 'node:test'
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
  for (const message of ['upstream is gone', '{"error":"upstream is gone"}', 'null'])
    assert.deepEqual(parseEvent({ event: 'error', data: message }), {
      type: 'error',
      error: { type: 'api_error', message },
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
