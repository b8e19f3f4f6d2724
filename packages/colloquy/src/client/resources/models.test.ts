import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Anthropic } from '../client.ts'
import { faultServer, type Answer } from '../request/fault-server.test.ts'
import { Page } from './page.ts'

const all = ['e', 'd', 'c', 'b', 'a']

/** Serves a list of five models in pages, as the API does. */
function serve(answer: Answer): void {
  const query = new URL(answer.request.path, 'http://a.test').searchParams
  const limit = Number(query.get('limit') ?? 2)
  const after = query.get('after_id')
  const before = query.get('before_id')
  const from = after ? all.indexOf(after) + 1 : before ? Math.max(all.indexOf(before) - limit, 0) : 0
  const ids = all.slice(from, before ? all.indexOf(before) : from + limit)
  const has_more = before ? from > 0 : from + limit < all.length
  const data = ids.map((id) => ({ type: 'model', id }))
  answer.json(200, { data, has_more, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null })
}

test('models.list() gives one page, and the next on request', async (t) => {
  const server = await faultServer(t, serve)
  const page = await server.client().models.list({ limit: 2, lifecycle: ['active', 'deprecated'] })
  assert.deepEqual(
    page.data.map(({ id }) => id),
    ['e', 'd'],
  )
  assert.ok(page.hasNextPage())
  const next = await page.getNextPage()
  assert.deepEqual(
    next.getPaginatedItems().map(({ id }) => id),
    ['c', 'b'],
  )
  assert.deepEqual(
    server.requests.map(({ method, path }) => `${method} ${decodeURIComponent(path)}`),
    [
      'GET /v1/models?limit=2&lifecycle[]=active&lifecycle[]=deprecated',
      'GET /v1/models?limit=2&lifecycle[]=active&lifecycle[]=deprecated&after_id=d',
    ],
  )
  assert.equal(server.requests[0]!.headers['content-type'], undefined)
})

test('a loop over models.list() reads all pages', async (t) => {
  const server = await faultServer(t, serve)
  const ids: string[] = []
  for await (const { id } of server.client().models.list({ limit: 2 })) ids.push(id)
  assert.deepEqual(ids, all)
  assert.equal(server.requests.length, 3)
})

test('a loop over a list is one loop over its pages', async (t) => {
  // A loop inside the loop of each page before takes time that grows with the square of the pages.
  const { mock } = t.mock.method(Page.prototype, 'iterPages')
  const server = await faultServer(t, serve)
  for await (const _ of server.client().models.list({ limit: 1 }));
  assert.deepEqual([server.requests.length, mock.callCount()], [5, 1])
})

test('models.list({ before_id }) reads pages backwards', async (t) => {
  const server = await faultServer(t, serve)
  const pages: string[][] = []
  const first = await server.client().models.list({ before_id: 'a', limit: 2 })
  for await (const page of first.iterPages()) pages.push(page.data.map(({ id }) => id))
  assert.deepEqual(pages, [
    ['c', 'b'],
    ['e', 'd'],
  ])
})

test('getNextPage() throws after the last page', async (t) => {
  const server = await faultServer(t, serve)
  const page = await server.client().models.list({ limit: 10 })
  assert.ok(!page.hasNextPage())
  await assert.rejects(page.getNextPage(), /Cannot get a page after the last/)
})

test('models.retrieve() requests one model in a workspace', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, { type: 'model', id: 'a' }))
  const model = await server.client().models.retrieve('a', { workspace_id: 'wrkspc_1' })
  assert.equal(model.id, 'a')
  assert.equal(server.requests[0]!.path, '/v1/models/a')
  assert.equal(server.requests[0]!.headers['anthropic-workspace-id'], 'wrkspc_1')
})

test('countTokens() counts the tokens of a prompt', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, { input_tokens: 7 }))
  const count = await server.client().messages.countTokens({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] })
  assert.deepEqual(count, { input_tokens: 7 })
  assert.equal(server.requests[0]!.path, '/v1/messages/count_tokens')
})

for (const [name, query, page, expected] of [
  [
    'ends where it began',
    { after_id: 'm_2' },
    { data: [{ id: 'm_2' }], has_more: true, last_id: 'm_2' },
    /after_id m_2 was sent again$/,
  ],
  [
    'begins where it ended',
    { before_id: 'm_2' },
    { data: [{ id: 'm_2' }], has_more: true, first_id: 'm_2' },
    /before_id m_2 was/,
  ],
  ['is its own next page', { page: 'p_2' }, { data: [{ id: 'm_2' }], next_page: 'p_2' }, /page p_2 was sent again$/],
  ['has data that is not a list', {}, { data: { id: 'm_2' }, has_more: false }, /its data is an object$/],
] as const) {
  test(`a page that ${name} ends a loop with an error`, async () => {
    const fetch = async (): Promise<Response> => Response.json(page)
    const client = new Anthropic({ fetch, baseURL: 'http://api.test', apiKey: 'key', maxRetries: 0 })
    const list = client.getAPIList('/v1/models', Page, { query })
    await assert.rejects(Array.fromAsync(list), { name: 'APIResponseError', message: expected })
  })
}

test('a loop over a server that knows no cursors ends with an error', async () => {
  const page = { data: [{ id: 'm_1' }], has_more: true, first_id: 'm_1', last_id: 'm_1' }
  const fetch = async (): Promise<Response> => Response.json(page)
  const client = new Anthropic({ fetch, baseURL: 'http://api.test', apiKey: 'key', maxRetries: 0 })
  const seen: string[] = []
  await assert.rejects(async () => {
    for await (const { id } of client.models.list()) seen.push(id)
  }, /Cannot read the response as a page of a list: the one with after_id m_1 was sent again$/)
  assert.deepEqual(seen, ['m_1'])
})
