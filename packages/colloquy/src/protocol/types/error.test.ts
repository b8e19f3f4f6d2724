import assert from 'node:assert/strict'
import test from 'node:test'
import * as Official from '@anthropic-ai/sdk'
import * as fc from 'fast-check'
import * as ours from './error.ts'
import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AnthropicError,
  InternalServerError,
  OverloadedError,
  RateLimitError,
  retryAfterMs,
} from './error.ts'
import { apiError, errorFrom, errorResponse } from './error-response.ts'

const body = {
  type: 'error' as const,
  error: { type: 'not_found_error', message: 'no such thread', details: { error_code: 'thread_not_found' } },
  request_id: 'req_body',
}

test('APIError.generate() makes the errors of the official client for each status', () => {
  const headers = new Headers({ 'request-id': 'req_1', 'anthropic-workspace-id': 'wrkspc_1' })
  const bodies = [
    body,
    { error: { message: 'x' } },
    { message: 'x' },
    { message: { a: 1 } },
    ['x'],
    { error: 'x' },
    undefined,
  ]
  for (let status = 400; status < 600; status++) {
    for (const each of bodies) {
      const theirs = Official.APIError.generate(status, each, undefined, headers)
      const error = errorFrom({ status, headers, body: each })
      const { status: _, headers: __, error: ___, ...fields } = theirs
      assert.deepEqual(
        { ...fields, name: theirs.name, message: theirs.message },
        pick(error, [...Object.keys(fields), 'name', 'message']),
      )
      assert.equal(error.status, status)
      assert.equal(error.error, each)
      const names = classNames(theirs).filter((name) => name in Official)
      assert.ok(names.includes('AnthropicError'))
      for (const name of names)
        assert.ok(error instanceof (ours as unknown as Record<string, new () => Error>)[name]!, name)
    }
  }
})

test('new APIError() has the text of the official client for any status, body and message', () => {
  // A body that is a string is repeated as text here: the row `odd-error-bodies` of docs/compatibility.md.
  const bodies = [undefined, null, '', {}, [], 5, true, { message: '' }, { message: { a: 1 } }, { error: null }, body]
  for (const status of [undefined, null, 400, 529]) {
    for (const each of bodies) {
      for (const message of [undefined, '', 'given']) {
        const theirs = new Official.APIError(status as never, each as never, message, undefined)
        const error = new APIError(status as never, each, message, undefined)
        assert.equal(error.message, theirs.message, JSON.stringify([status, each, message]))
      }
    }
  }
})

function pick(error: Error, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.map((key) => [key, (error as unknown as Record<string, unknown>)[key]]))
}

/** The names of an object's class and of those that it extends. */
function classNames(value: object): string[] {
  const prototype = Object.getPrototypeOf(value) as object | null
  return prototype === null ? [] : [prototype.constructor.name, ...classNames(prototype)]
}

test('errors without a response have the message of the official client', () => {
  assert.equal(new APIUserAbortError().message, new Official.APIUserAbortError().message)
  assert.equal(new APIConnectionError({}).message, new Official.APIConnectionError({}).message)
  assert.equal(new APIConnectionTimeoutError().message, new Official.APIConnectionTimeoutError().message)
  assert.equal(errorFrom({ status: undefined, body: undefined }).message, '(no status code or body)')
  assert.equal(errorFrom({ status: 500, body: undefined }).message, '500 status code (no body)')
})

test('errorFrom() uses a body that is not JSON as the message', () => {
  const error = errorFrom({ status: 502, headers: new Headers(), body: '<html>Bad gateway</html>' })
  assert.ok(error instanceof InternalServerError)
  assert.equal(error.message, '502 <html>Bad gateway</html>')
  assert.equal(error.error, '<html>Bad gateway</html>')
  assert.equal(error.apiMessage, null)
})

test('errorFrom() accepts a body whose fields have unexpected types', () => {
  for (const strange of [
    null,
    7,
    [],
    { error: null },
    { error: { type: 1, message: [], details: 'x' } },
    { error: [] },
  ]) {
    const error = errorFrom({ status: 400, body: strange })
    assert.deepEqual([error.type, error.apiMessage, error.errorCode, error.requestID], [null, null, null, null])
    assert.ok(error.message.startsWith('400 '))
  }
})

test('errorFrom() prefers the request id of the headers to that of the body', () => {
  assert.equal(errorFrom({ status: 404, body }).requestID, 'req_body')
  const headers = new Headers({ 'request-id': 'req_header' })
  assert.equal(errorFrom({ status: 404, headers, body }).requestID, 'req_header')
})

test('apiError() gives each type its status and class', () => {
  assert.ok(apiError('rate_limit_error', 'x') instanceof RateLimitError)
  assert.ok(apiError('overloaded_error', 'x') instanceof OverloadedError)
  assert.equal(apiError('overloaded_error', 'x').status, 529)
  for (const unknown of ['error_of_tomorrow', 'constructor']) assert.equal(apiError(unknown, 'x').status, 500)
  const error = apiError('not_found_error', 'no such thread', { error_code: 'thread_not_found' })
  assert.equal(error.errorCode, 'thread_not_found')
  assert.equal(error.apiMessage, 'no such thread')
})

const anyApiError = fc
  .record({
    status: fc.option(fc.integer({ min: 400, max: 599 }), { nil: undefined }),
    type: fc.constantFrom('invalid_request_error', 'rate_limit_error', 'overloaded_error', 'timeout_error', 'toString'),
    message: fc.string({ unit: 'grapheme' }),
    details: fc.option(
      fc.constantFrom({ error_code: 'thread_not_found' }, { error_code: 'x', unsupported: ['thinking'] }, null),
      { nil: undefined },
    ),
    retryAfter: fc.option(fc.nat(100), { nil: undefined }),
  })
  .map(({ status, type, message, details, retryAfter }) =>
    APIError.generate(
      status,
      { type: 'error', error: details === undefined ? { type, message } : { type, message, details } },
      undefined,
      new Headers(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter), 'x-should-retry': 'true' }),
    ),
  )

test('errorFrom() is the inverse of errorResponse()', () => {
  fc.assert(
    fc.property(anyApiError, (error) => {
      const sent = errorResponse(error, 'req_1')
      const read = errorFrom({ ...sent, body: JSON.parse(JSON.stringify(sent.body)) })
      for (const field of ['type', 'apiMessage', 'details', 'errorCode', 'retryAfterMs'] as const)
        assert.deepEqual(read[field], error[field], field)
      if (error.status !== undefined) assert.equal(read.status, error.status)
      assert.equal(read.requestID, 'req_1')
      assert.equal(read.headers?.get('x-should-retry'), error.headers?.get('x-should-retry'))
      // Once more changes nothing: an error passes through any number of servers.
      assert.deepEqual(errorResponse(read, 'req_1'), sent)
    }),
  )
})

test('errorResponse() derives the status of an error event from its type', () => {
  const error = { type: 'overloaded_error', message: 'Overloaded' }
  const { status, body } = errorResponse(errorFrom({ status: undefined, body: { type: 'error', error } }), 'req_1')
  assert.equal(status, 529)
  assert.deepEqual(body, { type: 'error', error, request_id: 'req_1' })
})

test('errorResponse() answers connection errors with 502 and timeouts with 504', () => {
  assert.equal(errorResponse(new APIConnectionError({}), 'req_1').status, 502)
  assert.equal(errorResponse(new APIConnectionTimeoutError(), 'req_1').status, 504)
  assert.equal(errorResponse(errorFrom({ status: 200, body: 'cut' }), 'req_1').status, 500)
  const html = errorResponse(errorFrom({ status: 413, body: '<html>' }), 'req_1')
  assert.deepEqual([html.status, html.body.error], [413, { type: 'request_too_large', message: '413 <html>' }])
})

test('errorResponse() reveals nothing about an unexpected error', () => {
  for (const error of [new TypeError('secret'), new AnthropicError('secret'), 'secret', undefined]) {
    const { status, headers, body } = errorResponse(error, 'req_1')
    assert.deepEqual([status, headers.get('request-id')], [500, 'req_1'])
    assert.deepEqual(body, {
      type: 'error',
      error: { type: 'api_error', message: 'Internal server error' },
      request_id: 'req_1',
    })
  }
})

test('retryAfterMs() reads milliseconds, seconds and dates', () => {
  const now = Date.parse('2026-11-20T12:00:00Z')
  const wait = (headers: Record<string, string>): number | null => retryAfterMs(new Headers(headers), now)
  assert.equal(wait({ 'retry-after': '7' }), 7_000)
  assert.equal(wait({ 'retry-after': '0.5' }), 500)
  assert.equal(wait({ 'retry-after-ms': '40', 'retry-after': '7' }), 40)
  assert.equal(wait({ 'retry-after': 'Fri, 20 Nov 2026 12:00:03 GMT' }), 3_000)
  for (const nothing of ['', '0', '-1', 'soon', 'Fri, 20 Nov 2026 11:59:59 GMT'])
    assert.equal(wait({ 'retry-after': nothing }), null)
  assert.equal(wait({}), null)
})

test('the text of an error has an end, while the error has the whole body', () => {
  const long = 'y'.repeat(1_000_000)
  for (const body of [{ error: { message: long } }, { message: long }, long, [long]]) {
    const error = APIError.generate(400, body, undefined, undefined)
    assert.equal(error.message.length, '400 '.length + 10_000)
    assert.equal(error.error, body)
  }
  assert.equal(APIError.generate(400, () => {}, 'a text', undefined).message, '400 a text')
})
