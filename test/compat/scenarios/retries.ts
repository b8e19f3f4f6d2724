import { failure, hello, helloStream, json, message, sse } from '../fixtures.ts'
import type { Reply } from '../recording-server.ts'
import type { Difference, Scenario } from '../scenario.ts'

const good = json(message())

// Through Node's own sockets, a reset of a connection that was open before is not an attempt.
const throughFetch = (url: string | URL | Request, init?: RequestInit): Promise<Response> => fetch(url, init)

/**
 * Retries: the requests that are sent again, the delays, and the headers of each attempt. Delays are compared; timers
 * run fast.
 */
export const retries: Scenario[] = [
  ...[408, 409, 429, 500, 502, 503, 504, 529, 599].map((status) =>
    tries(`${status} once`, [failure(status, 'some_error', 'Later')]),
  ),
  ...[400, 401, 402, 403, 404, 413, 422].map((status) =>
    tries(`${status}, which time will not heal`, [failure(status, 'some_error', 'No')]),
  ),
  tries('529 twice', [overloaded(), overloaded()]),
  tries('529 three times, which is one too many', [overloaded(), overloaded(), overloaded()]),
  tries(
    'six tries, each wait longer up to eight seconds',
    Array.from({ length: 6 }, () => overloaded()),
    { maxRetries: 6 },
  ),
  tries('no retries', [overloaded()], { maxRetries: 0 }),
  tries('retry-after in seconds', [overloaded({ 'retry-after': '7' })]),
  tries('retry-after in fractions of a second', [overloaded({ 'retry-after': '0.5' })]),
  tries('retry-after 0', [overloaded({ 'retry-after': '0' })]),
  tries('retry-after below zero', [overloaded({ 'retry-after': '-5' })]),
  tries('retry-after that is no time', [overloaded({ 'retry-after': 'soon' })]),
  tries('retry-after as a date that is past', [overloaded({ 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' })]),
  tries('retry-after of 60 seconds', [overloaded({ 'retry-after': '60' })]),
  tries('retry-after-ms', [overloaded({ 'retry-after-ms': '1234' })]),
  tries('retry-after-ms before retry-after', [overloaded({ 'retry-after-ms': '1234', 'retry-after': '5' })]),
  tries('retry-after-ms that is no number', [overloaded({ 'retry-after-ms': 'x', 'retry-after': '5' })]),
  tries('retry-after-ms 0 beside retry-after', [overloaded({ 'retry-after-ms': '0', 'retry-after': '5' })]),
  tries('x-should-retry: true on 400', [
    failure(400, 'invalid_request_error', 'Again', { headers: { 'x-should-retry': 'true' } }),
  ]),
  tries('x-should-retry: false on 529', [overloaded({ 'x-should-retry': 'false' })]),
  tries('x-should-retry that is neither', [overloaded({ 'x-should-retry': 'maybe' })]),
  tries('a reset connection', [{ status: 0, end: 'reset' }], { fetch: throughFetch }),
  tries(
    'a connection reset three times',
    [
      { status: 0, end: 'reset' },
      { status: 0, end: 'reset' },
      { status: 0, end: 'reset' },
    ],
    { fetch: throughFetch },
    [
      {
        name: 'own-errors',
        at: 'threw.message',
        official: 'Connection error.',
        ours: /^Connection error: cannot reach http:\S+ \(.+\)$/,
      },
    ],
  ),
  tries('retry-after of an hour', [overloaded({ 'retry-after': '3600' })], { hangsMs: 1000 }, [
    { name: 'longest-wait', at: 'pending', official: true },
    { name: 'longest-wait', at: 'threw', ours: { name: 'OverloadedError', status: 529 } },
  ]),
  tries(
    'a spend limit',
    [failure(429, 'rate_limit_error', 'No', { details: { error_code: 'enforced_spend_limit_reached' } })],
    {},
    [
      { name: 'spend-limits', at: 'returned', official: message() },
      {
        name: 'spend-limits',
        at: 'threw',
        ours: { name: 'EnforcedSpendLimitReachedError', errorCode: 'enforced_spend_limit_reached' },
      },
      { name: 'spend-limits', at: 'requests.1', official: { path: '/v1/messages' } },
      { name: 'spend-limits', at: 'waits', official: [440], ours: [] },
    ],
  ),
  tries('a body that nobody reads before the next try', [{ ...overloaded(), body: ['x'.repeat(100_000)] }]),
  {
    name: 'an own number of retries for one request',
    replies: [overloaded(), good],
    options: { maxRetries: 0 },
    hurried: true,
    run: ({ client }) => client.messages.create(hello, { maxRetries: 1 }),
  },
  {
    name: 'a stream that is refused before it begins',
    replies: [overloaded(), sse(helloStream)],
    hurried: true,
    run: ({ client }) => client.messages.stream(hello).finalText(),
  },
  {
    name: 'countTokens() and models are retried too',
    replies: [overloaded(), json({ input_tokens: 3 }), overloaded(), json({ id: 'm', type: 'model' })],
    hurried: true,
    run: async ({ client }) => [await client.messages.countTokens(hello), await client.models.retrieve('m')],
  },
  {
    name: 'a stream body that ends early is not retried',
    replies: [sse(helloStream.slice(0, 3)), sse(helloStream)],
    hurried: true,
    async run({ client }) {
      const error = await client.messages
        .stream(hello)
        .finalMessage()
        .catch((error: unknown) => error)
      return error instanceof Error
    },
  },
]

function overloaded(headers: Record<string, string> = {}): Reply {
  return failure(529, 'overloaded_error', 'Overloaded', { headers })
}

function tries(
  name: string,
  before: readonly Reply[],
  { maxRetries = 2, hangsMs, fetch }: { maxRetries?: number; hangsMs?: number; fetch?: typeof throughFetch } = {},
  differs: readonly Difference[] = [],
): Scenario {
  return {
    name,
    replies: [...before, good],
    options: { maxRetries, ...(fetch && { fetch }) },
    ...(hangsMs !== undefined && { hangsMs }),
    hurried: true,
    run: ({ client }) => client.messages.create(hello),
    differs,
  }
}
