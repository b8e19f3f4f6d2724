import assert from 'node:assert/strict'
import test from 'node:test'
import { ContentError } from 'colloquy/conversation/errors'
import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from 'colloquy/protocol'
import { describeError } from './describe-error.ts'
import { ExitCode, ExitError, UsageError } from './exit.ts'

function apiError(
  status: number,
  error: { type: string; message: string; details?: object },
  headers: Record<string, string> = {},
): APIError {
  return APIError.generate(status, { type: 'error', error }, undefined, new Headers(headers))
}

const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' })

const tooLong = Object.assign(new APIConnectionTimeoutError(), { notRetriedBecause: 'totalTimeout' })

const cases: [name: string, error: unknown, exitCode: number, line: string][] = [
  [
    'an API error',
    apiError(400, { type: 'invalid_request_error', message: 'max_tokens: too large' }, { 'request-id': 'req_1' }),
    ExitCode.rejected,
    'The request was rejected: max_tokens: too large. (invalid_request_error, req_1)',
  ],
  [
    'a model file that cannot be loaded',
    apiError(
      500,
      {
        type: 'api_error',
        message: 'Cannot load x.gguf: there is no such file.',
        details: { error_code: 'unusable_model_file' },
      },
      { 'request-id': 'req_1' },
    ),
    ExitCode.failed,
    'Cannot load x.gguf: there is no such file.',
  ],
  [
    'a rate limit',
    apiError(429, { type: 'rate_limit_error', message: 'Try again later' }, { 'retry-after': '5' }),
    ExitCode.busy,
    'Too many requests: Try again later. Try again in 5 s. (rate_limit_error)',
  ],
  [
    'an unreachable server of a model',
    apiError(500, {
      type: 'api_error',
      message: 'Cannot reach http://127.0.0.1:9 (ECONNREFUSED)',
      details: { error_code: 'unreachable_server' },
    }),
    ExitCode.network,
    'Cannot reach http://127.0.0.1:9 (ECONNREFUSED).',
  ],
  [
    'a failure of the API in the same words',
    apiError(500, { type: 'api_error', message: 'Cannot reach the database' }),
    ExitCode.failed,
    'The API failed: Cannot reach the database. (api_error)',
  ],
  [
    'the page of a proxy',
    APIError.generate(
      502,
      undefined,
      '<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>',
      new Headers(),
    ),
    ExitCode.failed,
    'The server answered with status 502 and a web page: 502 Bad Gateway. (InternalServerError)',
  ],
  [
    'an unreachable host',
    new APIConnectionError({ message: 'anything', host: '127.0.0.1:9', cause: refused }),
    ExitCode.network,
    "Can't reach 127.0.0.1:9 (ECONNREFUSED). (connection_error)",
  ],
  [
    'a lost connection without a host',
    new APIConnectionError({ message: 'The stream broke' }),
    ExitCode.network,
    'The stream broke. (connection_error)',
  ],
  ['a timeout', new APIConnectionTimeoutError(), ExitCode.network, 'Request timed out. (timeout_error)'],
  [
    'a reply that took longer than --timeout',
    new APIConnectionError({ message: 'Stream broke off after 8 events: too long', cause: tooLong }),
    ExitCode.network,
    'The reply took longer than --timeout allows. (timeout_error)',
  ],
  [
    'a question after a reply that calls a tool',
    new ContentError('Cannot send content', { waitingCalls: ['toolu_1'] }),
    ExitCode.failed,
    'The last reply waits for results of tools, and there are none here: /undo in the chat takes it back.',
  ],
  ['an abort', new APIUserAbortError(), ExitCode.interrupted, 'Stopped. (APIUserAbortError)'],
  ['a usage error', new UsageError('No flag --x.'), ExitCode.usage, 'No flag --x.'],
  ['an exit error', new ExitError(ExitCode.key, 'No API key.'), ExitCode.key, 'No API key.'],
  ['an error of several lines', new Error('one\n  two'), ExitCode.failed, 'one two'],
  ['a thrown string', 'text', ExitCode.failed, 'text'],
]

for (const [name, error, exitCode, line] of cases) {
  test(`describeError() describes ${name}`, () => {
    const description = describeError(error)
    assert.deepEqual({ exitCode: description.exitCode, line: description.line }, { exitCode, line })
  })
}
