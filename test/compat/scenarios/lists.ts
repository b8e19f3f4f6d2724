import { getEventListeners } from 'node:events'
import { failure, hello, json, message, requestId } from '../fixtures.ts'
import type { Reply } from '../recording-server.ts'
import { ownError, type Scenario } from '../scenario.ts'

function page(data: { id: string }[], has_more: boolean): Reply {
  return json({ data, has_more, first_id: data.at(0)?.id ?? null, last_id: data.at(-1)?.id ?? null })
}

function model(id: string): { id: string } & Record<string, unknown> {
  return { type: 'model', id, display_name: id, created_at: '2026-02-17T00:00:00Z' }
}

/** Models: one model, a page, all pages. */
export const models: Scenario[] = [
  {
    name: 'retrieve() one',
    replies: [json(model('claude-sonnet-4-6'))],
    run: ({ client }) => client.models.retrieve('claude-sonnet-4-6'),
  },
  {
    name: 'retrieve() with an id that needs escaping, for a workspace',
    replies: [json(model('x'))],
    run: ({ client }) => client.models.retrieve('a/b?é d', { workspace_id: 'wrkspc_1' }),
  },
  {
    name: 'retrieve() of an unknown model',
    replies: [failure(404, 'not_found_error', 'model: x')],
    run: ({ client }) => client.models.retrieve('x'),
  },
  {
    name: 'list() gives a page',
    replies: [page([model('a'), model('b')], true)],
    async run({ client }) {
      const page = await client.models.list({ limit: 2, lifecycle: ['active', 'deprecated'] })
      return [page.data, page.has_more, page.first_id, page.last_id, page.hasNextPage(), page.getPaginatedItems()]
    },
  },
  {
    name: 'list() with parameters and a query',
    replies: [page([model('a')], false)],
    run: async ({ client }) => (await client.models.list({ limit: 2 }, { query: { x: '1' } })).data.length,
    differs: [
      { name: 'list-queries', at: 'requests.0.path', official: '/v1/models?x=1', ours: '/v1/models?limit=2&x=1' },
    ],
  },
  {
    name: 'list() in a loop requests page after page',
    replies: [page([model('a'), model('b')], true), page([model('c')], false)],
    async run({ client }) {
      const seen: string[] = []
      for await (const { id } of client.models.list({ limit: 2 })) seen.push(id)
      return seen
    },
  },
  {
    name: 'list() backwards',
    replies: [page([model('c')], true), page([model('a')], false)],
    async run({ client }) {
      const seen: string[] = []
      for await (const { id } of client.models.list({ before_id: 'd' })) seen.push(id)
      return seen
    },
  },
  {
    name: 'getNextPage() and iterPages()',
    replies: [page([model('a')], true), page([model('b')], false), page([model('b')], false)],
    async run({ client }) {
      const first = await client.models.list()
      const next = await first.getNextPage()
      const ids: string[][] = []
      for await (const page of first.iterPages()) ids.push(page.data.map(({ id }) => id))
      return [next.data, next.hasNextPage(), ids]
    },
  },
  {
    name: 'getNextPage() of the last page',
    replies: [page([model('a')], false), page([], false)],
    run: async ({ client }) => (await (await client.models.list()).getNextPage()).data,
    differs: [
      { name: 'last-page', at: 'returned', official: [] },
      { name: 'last-page', at: 'requests.1', official: { path: '/v1/models?after_id=a' } },
      { name: 'last-page', at: 'threw', ours: { name: 'RangeError' } },
    ],
  },
  {
    name: 'an empty page that claims there are more',
    replies: [page([], true)],
    async run({ client }) {
      const page = await client.models.list()
      return [page.hasNextPage(), await Array.fromAsync(page)]
    },
  },
  {
    name: 'a page that fails on the way',
    replies: [page([model('a')], true), failure(401, 'authentication_error', 'invalid x-api-key')],
    async run({ client }) {
      const seen: unknown[] = []
      try {
        for await (const { id } of client.models.list()) seen.push(id)
      } catch (error) {
        seen.push(error)
      }
      return seen
    },
  },
  {
    name: 'a list with its response',
    replies: [page([model('a')], false)],
    async run({ client }) {
      const { data, response, request_id } = await client.models.list().withResponse()
      return [data.data, response.status, request_id]
    },
  },
  {
    name: 'break in a list sends no further request',
    replies: [page([model('a'), model('b')], true)],
    async run({ client }) {
      for await (const { id } of client.models.list()) if (id === 'b') return id
    },
  },
]

const batch = {
  id: 'msgbatch_1',
  type: 'message_batch',
  processing_status: 'ended',
  request_counts: { processing: 0, succeeded: 2, errored: 0, canceled: 0, expired: 0 },
  created_at: '2026-11-01T00:00:00Z',
  expires_at: '2026-11-02T00:00:00Z',
  ended_at: '2026-11-01T01:00:00Z',
  cancel_initiated_at: null,
  archived_at: null,
  results_url: '$url/v1/messages/batches/msgbatch_1/results',
}

const results = [
  { custom_id: 'a', result: { type: 'succeeded', message: message() } },
  {
    custom_id: 'b',
    result: { type: 'errored', error: { type: 'error', error: { type: 'invalid_request_error', message: 'No' } } },
  },
  { custom_id: 'c', result: { type: 'canceled' } },
  { custom_id: 'd', result: { type: 'expired' } },
]

function lines(...pieces: string[]): Reply {
  return { headers: { 'content-type': 'application/x-jsonl', 'request-id': requestId }, body: pieces }
}

async function read({ client }: Parameters<Scenario['run']>[0]): Promise<unknown> {
  const seen: unknown[] = []
  for await (const result of await client.messages.batches.results('msgbatch_1')) seen.push(result)
  return seen
}

/** Batches: each method, and their results line by line. */
export const batches: Scenario[] = [
  {
    name: 'create()',
    replies: [json({ ...batch, processing_status: 'in_progress', results_url: null })],
    run: ({ client }) =>
      client.messages.batches.create({
        requests: [
          { custom_id: 'a', params: hello },
          { custom_id: 'b', params: { ...hello, system: 's' } },
        ],
      }),
  },
  {
    name: 'create() for a profile and a workspace',
    replies: [json(batch)],
    run: async ({ client }) =>
      (await client.messages.batches.create({ requests: [], user_profile_id: 'u', workspace_id: 'w' })).id,
  },
  {
    name: 'retrieve(), cancel() and delete()',
    replies: [
      json(batch),
      json({ ...batch, processing_status: 'canceling' }),
      json({ id: 'msgbatch_1', type: 'message_batch_deleted' }),
    ],
    run: async ({ client }) => [
      (await client.messages.batches.retrieve('msgbatch_1')).id,
      (await client.messages.batches.cancel('msgbatch_1')).processing_status,
      await client.messages.batches.delete('msgbatch_1'),
    ],
  },
  {
    name: 'calls for a workspace, with headers of their own',
    replies: [json(batch), json(batch), json(batch)],
    async run({ client }) {
      const options = { headers: { 'x-mine': '1' } }
      await client.messages.batches.retrieve('m', { workspace_id: 'w' }, options)
      await client.messages.batches.cancel('m', { workspace_id: 'w' }, options)
      await client.messages.batches.delete('m', { workspace_id: 'w' }, options)
    },
  },
  {
    name: 'list() in a loop',
    replies: [page([{ ...batch, id: 'x' }], true), page([{ ...batch, id: 'y' }], false)],
    run: async ({ client }) => (await Array.fromAsync(client.messages.batches.list({ limit: 1 }))).map(({ id }) => id),
  },
  {
    name: 'results() line by line',
    replies: [json(batch), lines(results.map((line) => `${JSON.stringify(line)}\n`).join(''))],
    run: read,
  },
  {
    name: 'results() in pieces that end anywhere, the last without a line end',
    replies: [
      json(batch),
      lines(
        ...(results
          .map((line) => JSON.stringify(line))
          .join('\n')
          .match(/.{1,37}|\n/gs) ?? []),
      ),
    ],
    run: read,
  },
  { name: 'results() without any', replies: [json(batch), lines('')], run: read },
  {
    name: 'results() with CRLF and blank lines',
    replies: [json(batch), lines(`${JSON.stringify(results[2])}\r\n\r\n${JSON.stringify(results[3])}\r\n`)],
    run: read,
    differs: [
      { name: 'blank-result-lines', at: 'threw', official: { name: 'SyntaxError' } },
      { name: 'blank-result-lines', at: 'returned', ours: results.slice(2) },
    ],
  },
  {
    name: 'results() before the end',
    replies: [json({ ...batch, processing_status: 'in_progress', results_url: null })],
    run: read,
    differs: [ownError('threw')],
  },
  {
    name: 'results() that are gone',
    replies: [json(batch), failure(404, 'not_found_error', 'archived')],
    run: read,
  },
  {
    name: 'break in the results closes the connection',
    replies: [
      json(batch),
      { ...lines(`${JSON.stringify(results[2])}\n`, `${JSON.stringify(results[3])}\n`), end: 'hold' },
    ],
    async run({ client }) {
      for await (const { custom_id } of await client.messages.batches.results('msgbatch_1')) return custom_id
    },
  },
  {
    name: 'return() of results that were not read',
    replies: [json(batch), { ...lines(`${JSON.stringify(results[2])}\n`), end: 'hold' }],
    async run({ client }) {
      const { signal } = new AbortController()
      const stream = await client.messages.batches.results('msgbatch_1', {}, { signal })
      await stream[Symbol.asyncIterator]().return!()
      return getEventListeners(signal, 'abort').length
    },
    differs: [
      { name: 'unread-return', at: 'requests.1.abandoned', ours: true },
      { name: 'unread-return', at: 'returned', official: 1, ours: 0 },
    ],
  },
  {
    name: 'an id with reserved characters in a path',
    replies: [json(batch)],
    run: async ({ client }) => (await client.messages.batches.retrieve('a:b@c')).id,
    differs: [{ name: 'path-ids', at: 'requests.0.path', official: /a:b@c/, ours: /a%3Ab%40c/ }],
  },
]
