import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type Conversations, memoryStore, openConversations } from 'colloquy/conversation'
import { type ScriptEngine, script } from 'colloquy/engines'
import { charged } from '../ledger/metering/charged.ts'
import type { NewKey } from '../access/keys/keys.ts'
import { openAccess, type StoreAccess } from '../access/open-access.ts'
import { createServer, type Server } from '../app.ts'
import type { ListPageJson, ModelChoiceJson } from '../conversations/api.ts'
import { type ConversationRoutes, conversationRoutes } from '../conversations/routes.ts'
import { openServerStore, type ServerStore } from '../state/server-store.ts'
import { type ConsoleRoutes, consoleRoutes } from './console.ts'

const usage = {
  input_tokens: 1_000,
  output_tokens: 1_000,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
}
const defaults = { model: 'claude-sonnet-4-6', max_tokens: 1_000 }

let store: ServerStore
let access: StoreAccess
let engine: ScriptEngine
let conversations: Conversations
let page: ConsoleRoutes
let api: ConversationRoutes
let server: Server
let [ada, bob, admin]: NewKey[] = []

before(async () => {
  store = await openServerStore(':memory:')
  access = await openAccess({ store, keys: ['sk-listed'] })
  engine = script([{ reply: { content: 'A reply about llamas.', usage }, times: 100 }])
  conversations = openConversations({ engine: charged(engine, access), store: memoryStore() })
  page = consoleRoutes({ secret: randomBytes(32), access, members: true })
  api = conversationRoutes({ conversations, admit: page.admit, defaults })
  server = createServer({ engine, access, routes: [page, api] })
  ada = await access.keys.create({ name: 'ada', budgets: [{ usd: '0.04', per: 'day' }] })
  bob = await access.keys.create({ name: 'bob' })
  admin = await access.keys.create({ name: 'operator', isAdmin: true })
})

after(async () => {
  await api.close()
  await conversations.close()
  await access.close()
  await store.close()
})

/** A browser with a session. */
class Browser {
  readonly #headers: Record<string, string>

  constructor(cookie: string) {
    this.#headers = { cookie, 'content-type': 'application/json' }
  }

  static async open(token: string): Promise<Browser> {
    const response = await signIn(token)
    assert.equal(response.status, 204)
    return new Browser(response.headers.get('set-cookie')!.split(';')[0]!)
  }

  async call(method: string, path: string, body?: object): Promise<{ status: number; json: Record<string, unknown> }> {
    const init = { method, headers: this.#headers, ...(body && { body: JSON.stringify(body) }) }
    const response = await server.fetch(new Request(`http://colloquy.test${path}`, init))
    const text = await response.text()
    return { status: response.status, json: text.startsWith('{') ? JSON.parse(text) : { text } }
  }

  async create(title: string): Promise<string> {
    return (await this.call('POST', '/api/conversations', { title })).json['id'] as string
  }

  async titles(): Promise<string[]> {
    const { json } = await this.call('GET', '/api/conversations')
    return (json as unknown as ListPageJson).data.map(({ title }) => title ?? '').toSorted()
  }
}

function signIn(token: string): Promise<Response> {
  const init = { method: 'POST', body: JSON.stringify({ token }) }
  return server.fetch(new Request('http://colloquy.test/api/session', init))
}

test('members see their own chats, and a link sees all', async () => {
  const [one, other, operator, machine] = await Promise.all([
    Browser.open(ada!.secret),
    Browser.open(bob!.secret),
    Browser.open(admin!.secret),
    Browser.open(page.newToken()),
  ])
  const id = await one.create("Ada's llamas")
  await other.create("Bob's chat")
  await operator.create("The operator's chat")
  assert.equal((await one.call('POST', `/api/conversations/${id}/send`, { content: 'What are llamas?' })).status, 200)
  assert.deepEqual(await one.titles(), ["Ada's llamas"])
  assert.deepEqual(await other.titles(), ["Bob's chat"])
  assert.deepEqual(await operator.titles(), ["The operator's chat"])
  assert.deepEqual(await machine.titles(), ["Ada's llamas", "Bob's chat", "The operator's chat"])
  const search = '/api/conversations/search?q=llamas'
  const hits = async (browser: Browser): Promise<number> =>
    ((await browser.call('GET', search)).json['data'] as unknown[]).length
  assert.ok((await hits(one)) > 0)
  assert.deepEqual([await hits(other), await hits(operator)], [0, 0])
  const path = `/api/conversations/${id}`
  for (const [method, rest, body] of [
    ['GET', ''],
    ['GET', '/messages'],
    ['GET', '/tree'],
    ['GET', '/export'],
    ['PATCH', '', { title: 'Mine' }],
    ['POST', '/send', { content: 'Hi' }],
    ['POST', '/fork', {}],
    ['POST', '/undo', {}],
    ['DELETE', ''],
  ] as const)
    assert.equal((await other.call(method, path + rest, body)).status, 404, `${method} ${rest}`)
  // Not even by the name of an option of the library.
  const stolen = { title: 'Stolen', owner: ada!.key.id, settings: { ...defaults, owner: ada!.key.id } }
  await other.call('POST', '/api/conversations', stolen)
  await other.call('PATCH', `/api/conversations/${await other.create('Given')}`, { owner: ada!.key.id })
  assert.deepEqual(await one.titles(), ["Ada's llamas"])
})

test('requests of a chat are those of its key, which pays and is refused as over HTTP', async () => {
  const browser = await Browser.open(ada!.secret)
  const id = await browser.create('Expensive')
  const sent = engine.requests.length
  let refused: string | undefined
  for (let turn = 0; turn < 5 && refused === undefined; turn++) {
    const { json } = await browser.call('POST', `/api/conversations/${id}/send`, { content: 'More' })
    refused = /the daily budget of \$0\.0400 of the key ada/.exec(String(json['text']))?.[0]
  }
  assert.ok(refused)
  assert.ok(engine.requests.length - sent < 4)
  const rows = (await browser.call('GET', '/admin/requests')).json['data'] as Record<string, unknown>[]
  assert.deepEqual(new Set(rows.map(({ key, source }) => `${String(key)} ${String(source)}`)), new Set(['ada chat']))
  assert.ok(rows.some(({ status }) => status === 200) && rows.some(({ status }) => status === 429))
  const shown = (await browser.call('GET', `/admin/keys/${ada!.key.id}`)).json
  assert.deepEqual([shown['name'], (shown['budgets'] as unknown[]).length], ['ada', 1])
})

test('members see what they use, and nothing else below /admin', async () => {
  const [one, other, operator] = await Promise.all([
    Browser.open(ada!.secret),
    Browser.open(bob!.secret),
    Browser.open(admin!.secret),
  ])
  const id = await other.create('Used')
  await other.call('POST', `/api/conversations/${id}/send`, { content: 'Hi' })
  const requests = async (query = ''): Promise<{ id: string; key: string }[]> =>
    (await other.call('GET', `/admin/requests${query}`)).json['data'] as { id: string; key: string }[]
  const [request] = await requests()
  for (const query of ['', '?key=ada', `?key=${ada!.key.id}&key=ada`, '?workspace=default'])
    assert.deepEqual(new Set((await requests(query)).map(({ key }) => key)), new Set(['bob']), query)
  const used = await other.call('GET', '/admin/usage?by=key&key=ada')
  assert.deepEqual(
    (used.json['rows'] as { group: { key: string } }[]).map(({ group }) => group.key),
    ['bob'],
  )
  const of = async (browser: Browser, path: string): Promise<number> => (await browser.call('GET', path)).status
  const ofBob = `/admin/requests/${request!.id}`
  assert.deepEqual([await of(other, ofBob), await of(one, ofBob), await of(operator, ofBob)], [200, 404, 200])
  for (const path of ['keys', `keys/${ada!.key.id}`, 'keys/ada', 'nothing', 'usage/x/y', 'requests/../keys'])
    assert.equal(await of(other, `/admin/${path}`), 403, path)
  for (const [method, path, body] of [
    ['POST', 'keys', { name: 'eve', is_admin: true }],
    ['POST', `keys/${bob!.key.id}`, { budgets: [] }],
    ['POST', `keys/${bob!.key.id}/rotate`, {}],
    ['DELETE', `keys/${bob!.key.id}`],
  ] as const)
    assert.equal((await other.call(method, `/admin/${path}`, body)).status, 403, `${method} ${path}`)
  const session = async (browser: Browser): Promise<unknown> => (await browser.call('GET', '/api/session')).json
  assert.partialDeepStrictEqual(await session(other), { open: true, member: true, keyId: bob!.key.id })
  assert.partialDeepStrictEqual(await session(operator), { open: true, member: false, keyId: admin!.key.id })
})

test('a key that is revoked or listed opens nothing', async () => {
  // Keys of a configuration have no names: two of them may look the same.
  assert.equal((await signIn('sk-listed')).status, 401)
  const { secret } = await access.keys.create({ name: 'eve' })
  const browser = await Browser.open(secret)
  const id = await browser.create('Ends')
  const operator = await Browser.open(admin!.secret)
  assert.equal((await operator.call('POST', '/admin/keys/eve/revoke', {})).status, 200)
  assert.equal((await browser.call('GET', `/api/conversations/${id}`)).status, 401)
  assert.equal((await browser.call('GET', '/admin/usage')).status, 401)
  assert.equal((await signIn(secret)).status, 401)
})

test('the models and settings of a new chat may depend on the sender', async () => {
  const choice = (id: string): ModelChoiceJson => ({
    id,
    displayName: id,
    isLocal: true,
    contextTokens: null,
    maxOutputTokens: null,
    efforts: [],
    price: null,
  })
  const own = conversationRoutes({
    conversations,
    admit: page.admit,
    defaults: ({ owner }) => ({ model: owner === undefined ? 'all' : 'small', max_tokens: 10 }),
    models: async ({ owner }) => (owner === undefined ? [choice('all'), choice('small')] : [choice('small')]),
  })
  const models = async (token: string): Promise<unknown> => {
    const cookie = (await signIn(token)).headers.get('set-cookie')!.split(';')[0]!
    const request = new Request('http://colloquy.test/api/models', { headers: { cookie } })
    const { data, defaults: given } = (await (await own.answer(request)!).json()) as {
      data: ModelChoiceJson[]
      defaults: { model: string }
    }
    return [data.map(({ id }) => id), given.model]
  }
  assert.deepEqual(await models(bob!.secret), [['small'], 'small'])
  assert.deepEqual(await models(page.newToken()), [['all', 'small'], 'all'])
  await own.close()
})
