import assert from 'node:assert/strict'
import test from 'node:test'
import { APIStreamError } from 'colloquy'
import { WindowError } from 'colloquy/conversation'
import { ContentError } from 'colloquy/conversation/errors'
import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from 'colloquy/protocol'
import { describeError } from './describe-error.ts'
import { ExitCode, ExitError, UsageError } from '../exit.ts'

function apiError(
  status: number,
  error: { type: string; message: string; details?: object },
  headers: Record<string, string> = {},
): APIError {
  return APIError.generate(status, { type: 'error', error }, undefined, new Headers(headers))
}

const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' })

const tooLong = Object.assign(new APIConnectionTimeoutError(), { notRetriedBecause: 'totalTimeout' })

const cases: [name: string, error: unknown, exitCode: number, line: string, advice?: string][] = [
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
    'Cannot reach http://127.0.0.1:9: nothing listens there (ECONNREFUSED).',
    'Start the server, or look at its address.',
  ],
  [
    'a failure of the API in the same words',
    apiError(500, { type: 'api_error', message: 'Cannot reach the database' }),
    ExitCode.failed,
    'The API failed: Cannot reach the database. (api_error)',
    'Try again.',
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
    'The server answered with status 502 and a web page: 502 Bad Gateway.',
    'Try again.',
  ],
  [
    'a check of FastAPI, which many gateways are made with',
    APIError.generate(
      422,
      { detail: [{ type: 'missing', loc: ['body', 'messages', 0], msg: 'Field required', input: {} }] },
      undefined,
      new Headers(),
    ),
    ExitCode.rejected,
    'The server answered with status 422: messages.0: Field required.',
    'Look at the address: it may be wrong.',
  ],
  [
    'an answer of something other than the API',
    APIError.generate(404, undefined, '404 page not found', new Headers()),
    ExitCode.rejected,
    'The server answered with status 404: 404 page not found.',
    'Look at the address: it may be wrong.',
  ],
  [
    'an answer without a body',
    APIError.generate(500, undefined, undefined, new Headers({ 'request-id': 'req_1' })),
    ExitCode.failed,
    'The server answered with status 500 and nothing else. (req_1)',
    'Try again.',
  ],
  [
    'a key that another API refuses',
    apiError(401, { type: 'invalid_request_error', message: 'Incorrect API key' }),
    ExitCode.key,
    'The key was not accepted: Incorrect API key. (invalid_request_error)',
  ],
  [
    'a model that is not there',
    apiError(404, { type: 'not_found_error', message: 'model: claude-opus-9' }),
    ExitCode.rejected,
    'Not found: model: claude-opus-9. (not_found_error)',
    'colloquy models lists the models that can reply.',
  ],
  [
    'a prompt that is too long',
    apiError(400, { type: 'invalid_request_error', message: 'prompt is too long: 2 tokens > 1 maximum' }),
    ExitCode.rejected,
    'The request was rejected: prompt is too long: 2 tokens > 1 maximum. (invalid_request_error)',
    'Send less, or choose a model with a larger window.',
  ],
  [
    'a reply whose connection was lost',
    new APIConnectionError({
      message: 'Stream broke off after 3 events: Connection error: cannot read http://127.0.0.1:9 (ECONNRESET)',
      headers: new Headers({ 'request-id': 'req_1' }),
    }),
    ExitCode.network,
    'The reply broke off after 3 events: cannot read http://127.0.0.1:9: it closed the connection (ECONNRESET). (req_1)',
    'Try again.',
  ],
  [
    'a response that ended before its first event',
    new APIStreamError({
      message: 'Stream broke off after 0 events: it ended without message_stop (text/html)',
      cause: new Error('it ended'),
      partial: undefined,
      headers: new Headers(),
    }),
    ExitCode.network,
    'The reply broke off after 0 events: it ended without message_stop (text/html).',
    'Look at the address: it may be wrong.',
  ],
  [
    'a connection that was lost before the first event',
    new APIStreamError({
      message: 'Stream broke off after 0 events: it ended',
      cause: refused,
      partial: undefined,
      headers: new Headers(),
    }),
    ExitCode.network,
    'The reply broke off after 0 events: it ended.',
    'Start the server, or look at its address.',
  ],
  [
    'an unreachable host',
    new APIConnectionError({ message: 'anything', host: '127.0.0.1:9', cause: refused }),
    ExitCode.network,
    "Can't reach 127.0.0.1:9: nothing listens there (ECONNREFUSED).",
    'Start the server, or look at its address.',
  ],
  [
    'a lost connection without a host',
    new APIConnectionError({ message: 'The stream broke' }),
    ExitCode.network,
    'The stream broke.',
    'Look at the address and at your network.',
  ],
  [
    'a timeout',
    new APIConnectionTimeoutError(),
    ExitCode.network,
    'The server did not answer in time.',
    '--timeout allows more seconds.',
  ],
  [
    'a reply that took longer than --timeout',
    new APIConnectionError({ message: 'Stream broke off after 8 events: too long', cause: tooLong }),
    ExitCode.network,
    'The reply took longer than --timeout allows.',
    '--timeout allows more seconds.',
  ],
  [
    'a question after a reply that calls a tool',
    new ContentError('Cannot send content', { waitingCalls: ['toolu_1'] }),
    ExitCode.failed,
    'The last reply waits for results of tools, and there are none here: /undo in the chat takes it back.',
  ],
  ['an abort', new APIUserAbortError(), ExitCode.interrupted, 'Stopped.'],
  [
    'a prompt that the window cannot hold',
    new WindowError(4594, 3072),
    ExitCode.rejected,
    'Cannot send a prompt of 4594 tokens: at most 3072 fit.',
    'Send less, use fewer tools, or choose a model with a larger window.',
  ],
  ['a usage error', new UsageError('No flag --x.'), ExitCode.usage, 'No flag --x.'],
  ['an exit error', new ExitError(ExitCode.key, 'No API key.'), ExitCode.key, 'No API key.'],
  [
    'a download from a host that was not found',
    new Error('Cannot fetch https://a.example/x: ENOTFOUND'),
    ExitCode.failed,
    'Cannot fetch https://a.example/x: no such host was found (ENOTFOUND)',
  ],
  ['an error of several lines', new Error('one\n  two'), ExitCode.failed, 'one two'],
  ['a thrown string', 'text', ExitCode.failed, 'text'],
]

for (const [name, error, exitCode, line, advice = ''] of cases) {
  test(`describeError() describes ${name}`, () => {
    const description = describeError(error)
    assert.deepEqual(
      { exitCode: description.exitCode, line: description.line, advice: description.advice },
      { exitCode, line, advice },
    )
  })
}

test('describeError() ends a line before advice, which is another sentence', () => {
  for (const [, error] of cases) {
    const { sentence, advice } = describeError(error)
    if (advice !== '') assert.match(sentence, /[.!?]$/)
  }
})

test('describeError() writes no name of a class of errors', () => {
  for (const [, error] of cases) assert.doesNotMatch(describeError(error).line, /\wError\b|connection_error/)
})
