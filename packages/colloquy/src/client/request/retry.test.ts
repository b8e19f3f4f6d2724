import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
} from '../../protocol/types/error.ts'
import { APIResponseError, APIStreamError, isRetryable, RetryableError } from './errors.ts'
import { decideRetry, type RetryDecision, type RetryState } from './retry.ts'

const overloaded = APIError.generate(529, undefined, undefined, new Headers())
const waits = (seconds: string): APIError =>
  APIError.generate(429, undefined, undefined, new Headers({ 'retry-after': seconds }))
const first: RetryState = { retries: 0, policy: { maxRetries: 2, maxRetryDelay: 60_000 }, remainingMs: Infinity }

const decisions: [string, Error, Partial<RetryState>, RetryDecision | [from: number, to: number]][] = [
  ['the first failure', overloaded, {}, [375, 500]],
  ['the second failure', overloaded, { retries: 1 }, [750, 1000]],
  ['the last retry', overloaded, { retries: 2 }, { retry: false, because: 'maxRetries' }],
  [
    'maxRetries 0',
    overloaded,
    { policy: { maxRetries: 0, maxRetryDelay: 0 } },
    { retry: false, because: 'maxRetries' },
  ],
  ['retry-after', waits('7'), {}, [7000, 7000]],
  ['retry-after of maxRetryDelay', waits('60'), {}, [60_000, 60_000]],
  ['retry-after beyond maxRetryDelay', waits('61'), {}, { retry: false, because: 'maxRetryDelay' }],
  ['retry-after without a limit', waits('3600'), { policy: { maxRetries: 1, maxRetryDelay: 0 } }, [3.6e6, 3.6e6]],
  [
    'retry-after that no timer can count',
    waits('9999999'),
    { policy: { maxRetries: 1, maxRetryDelay: 0 } },
    { retry: false, because: 'maxRetryDelay' },
  ],
  ['maxRetryDelay below the usual wait', overloaded, { policy: { maxRetries: 2, maxRetryDelay: 5 } }, [5, 5]],
  ['the tenth retry', overloaded, { retries: 9, policy: { maxRetries: 20, maxRetryDelay: 60_000 } }, [6000, 8000]],
  ['a wait beyond totalTimeout', waits('7'), { remainingMs: 7000 }, { retry: false, because: 'totalTimeout' }],
  ['a wait within totalTimeout', waits('7'), { remainingMs: 7001 }, [7000, 7000]],
  ['an error that lasts', APIError.generate(400, undefined, undefined, undefined), {}, { retry: false }],
  ['an error of another kind', new TypeError('no'), {}, { retry: false }],
]

for (const [name, error, state, expected] of decisions) {
  test(`decideRetry() after ${name}: ${JSON.stringify(expected)}`, () => {
    const decision = decideRetry(error, { ...first, ...state })
    if (!Array.isArray(expected)) return assert.deepEqual(decision, expected)
    assert.ok(decision.retry)
    assert.ok(decision.delayMs >= expected[0] && decision.delayMs <= expected[1], `${decision.delayMs} ms`)
  })
}

function withCode(code: string): APIConnectionError {
  return new APIConnectionError({ cause: new Error('failed', { cause: Object.assign(new Error(code), { code }) }) })
}

function streamed(type: string): APIStreamError {
  const error = { type: 'error', error: { type, message: 'no' } }
  return new APIStreamError({ error, partial: undefined, headers: undefined })
}

function answered(status: number, headers: Record<string, string> = {}, errorCode?: string): APIError {
  const error = { type: 'error', error: { type: 'any', message: 'no', details: { error_code: errorCode } } }
  return APIError.generate(status, error, undefined, new Headers(headers))
}

const failures: [string, unknown, boolean][] = [
  ...[400, 401, 402, 403, 404, 413, 422, 499].map((status): [string, Error, boolean] => [
    `${status}`,
    answered(status),
    false,
  ]),
  ...[408, 409, 429, 500, 502, 503, 504, 529, 599].map((status): [string, Error, boolean] => [
    `${status}`,
    answered(status),
    true,
  ]),
  ['400 with x-should-retry: true', answered(400, { 'x-should-retry': 'true' }), true],
  ['529 with x-should-retry: false', answered(529, { 'x-should-retry': 'false' }), false],
  ['529 with another x-should-retry', answered(529, { 'x-should-retry': 'maybe' }), true],
  ['429 of a spend limit', answered(429, { 'x-should-retry': 'true' }, 'user_spend_limit_reached'), false],
  ['no connection', new APIConnectionError(), true],
  ['a timeout', new APIConnectionTimeoutError(), true],
  ['a connection that was reset', withCode('ECONNRESET'), true],
  ['a certificate that has expired', withCode('CERT_HAS_EXPIRED'), false],
  ['a certificate of an unknown issuer', withCode('UNABLE_TO_GET_ISSUER_CERT_LOCALLY'), false],
  ['a stream that broke off', new APIStreamError({ partial: undefined, headers: undefined }), true],
  ['overloaded_error in a stream', streamed('overloaded_error'), true],
  ['invalid_request_error in a stream', streamed('invalid_request_error'), false],
  ['a body that cannot be read', new APIResponseError(200, undefined, 'no', new Headers()), true],
  ['RetryableError', new RetryableError(), true],
  ['an abort', new APIUserAbortError(), false],
  ['a TypeError', new TypeError('no'), false],
  ['a value that is not an error', 'no', false],
]

for (const [name, error, expected] of failures) {
  test(`isRetryable() is ${expected} for ${name}`, () => assert.equal(isRetryable(error), expected))
}
