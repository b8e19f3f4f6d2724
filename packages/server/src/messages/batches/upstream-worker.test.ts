import assert from 'node:assert/strict'
import { test } from 'node:test'
import Official from '@anthropic-ai/sdk'
import Anthropic from 'colloquy'
import { offline, upstream } from 'colloquy/engines'
import { apiError, costOf, type Usage } from 'colloquy/protocol'
import { readSpending } from '../../access/key-spending.ts'
import { openAccess, type StoreAccess } from '../../access/open-access.ts'
import { createServer, type Server } from '../../app.ts'
import type { RequestRow } from '../../ledger/request-row.ts'
import { type Database, rows, type Work } from '../../state/database.ts'
import { migrations } from '../../state/migrations.ts'
import { SqliteDatabase } from '../../state/sqlite-database.ts'
import { BatchStore } from './batch-store.ts'
import { UpstreamBatches } from './upstream-batches.ts'

const baseURL = 'http://colloquy.test'
const params = { model: 'claude-sonnet-4-6', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hello' }] }

test('a batch is run by the account of the upstream, at half the price', async (t) => {
  const { client, sent, database, access } = await serve(t)
  const { key, secret } = await access.keys.create({ name: 'ada', budgets: [{ usd: '1', per: 'month' }] })
  const { batches } = client(secret).messages
  const created = await batches.create({
    requests: [
      { custom_id: 'good', params },
      { custom_id: 'bad', params: { ...params, max_tokens: -1 } },
    ],
  })
  const ended = await untilEnded(batches, created.id)
  assert.deepEqual(ended.request_counts, { processing: 0, succeeded: 1, errored: 1, canceled: 0, expired: 0 })
  assert.equal(ended.results_url, `${baseURL}/v1/messages/batches/${created.id}/results`)
  const results = await resultsOf(batches, created.id)
  const good = results.get('good')
  assert.ok(good?.type === 'succeeded')
  assert.equal(good.message.usage.service_tier, 'batch')
  const bad = results.get('bad')
  assert.ok(bad?.type === 'errored' && /max_tokens/.test(bad.error.error.message))
  assert.deepEqual(
    sent.filter((route) => route.startsWith('POST')),
    ['POST /v1/messages/batches'],
  )
  await access.close()
  const rows = await database.rows<RequestRow>('read', 'SELECT * FROM %.request')
  const full = costOf({ ...(good.message.usage as Usage), service_tier: 'standard' }, params.model)!.picoUsd
  assert.deepEqual(
    rows.map(({ source, cost }) => [source, BigInt(cost!) * 2n]),
    [['batch', full]],
  )
  const [budget] = (await readSpending(database, [key], Date.now())).get(key.id)!
  assert.equal(budget!.spent * 2n, full)
  assert.deepEqual(await batches.delete(created.id), { id: created.id, type: 'message_batch_deleted' })
  assert.match(sent.at(-1)!, /^DELETE \/v1\/messages\/batches\/msgbatch_/)
})

test('a batch reaches the upstream with the numbers and keys that the client sent, also as single requests', async (t) => {
  const input = '{"b":1.0,"2":1,"1":12345678901234567890}'
  const json = `{"model":"claude-sonnet-4-6","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":${input}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"x"}]}]}`
  for (const passOn of [true, false]) {
    const bodies: string[] = []
    const received = Promise.withResolvers<void>()
    const fetch: typeof globalThis.fetch = async (request, init) => {
      const sent = new Request(request, init)
      if (sent.method === 'POST') {
        bodies.push(await sent.text())
        received.resolve()
      }
      throw new TypeError('no connection')
    }
    const above = new Anthropic({ fetch, baseURL: 'http://account.test', apiKey: 'a', maxRetries: 0 })
    const database = memory()
    const store = { database, close: () => database.close() }
    const server = createServer({
      engine: upstream(above),
      store,
      batches: { pollMs: 10 },
      ...(passOn && { passOn: { client: above, pollMs: 10 } }),
    })
    t.after(async () => {
      await server.close()
      await database.close()
    })
    const headers = { 'anthropic-version': '2023-06-01' }
    const body = `{"requests":[{"params":${json} ,"custom_id":"a"}]}`
    const { status } = await server.fetch(`${baseURL}/v1/messages/batches`, { method: 'POST', headers, body })
    assert.equal(status, 200)
    await received.promise
    assert.ok(bodies[0]!.includes(`"input":${input}}`), bodies[0])
  }
})

test('results of a long batch find their items by an index', async () => {
  const database = new SqliteDatabase(':memory:', { migrations })
  const { plans, seen } = explaining(database)
  const batches = new UpstreamBatches(seen, { owner: 'o', leaseMs: 1_000 })
  const batch = { id: 'b', workspace: 'w', key_id: '', version: '', betas: '[]', created_at: 1, expires_at: 2 }
  await new BatchStore(database).add(batch, [{ custom_id: 'a', params: '{}' }], 9)
  const stored = await batches.finish('b', [{ custom_id: 'a', outcome: 'succeeded', result: '{}' }])
  assert.deepEqual([...stored], [['a', '{}']])
  assert.equal(plans.length, 2)
  for (const plan of plans) assert.match(plan, /USING INDEX batch_item_name \(batch=\? AND custom_id=\?\)/)
  await database.close()
})

/** A database that notes how it runs the statements of its transactions. */
function explaining(database: Database): { plans: string[]; seen: Database } {
  const plans: string[] = []
  function* noting<T>(work: () => Work<T>): Work<T> {
    const steps = work()
    let step = steps.next()
    while (!step.done) {
      const { sql, values } = step.value
      const [plan] = yield* rows<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, values)
      plans.push(plan!.detail)
      step = steps.next(yield* rows(sql, values))
    }
    return step.value
  }
  const seen: Database = {
    kind: database.kind,
    name: database.name,
    rows: (...given) => database.rows(...given),
    transaction: (doing, work) => database.transaction(doing, () => noting(work)),
    close: () => database.close(),
  }
  return { plans, seen }
}

test('workspaces see their own batches and files of the account', async (t) => {
  const { client, access } = await serve(t)
  const eve = client((await access.keys.create({ name: 'eve', workspace: 'eves' })).secret)
  const ada = client('k')
  const { id } = await ada.messages.batches.create({ requests: [{ custom_id: 'a', params }] })
  const file = await upload(ada)
  assert.deepEqual((await eve.messages.batches.list()).data, [])
  for (const method of ['retrieve', 'cancel', 'delete'] as const)
    await assert.rejects(eve.messages.batches[method](id), { status: 404 })
  await assert.rejects(eve.beta.files.retrieveMetadata(file.id), { status: 404 })
  await assert.rejects(eve.beta.files.download(file.id), { status: 404 })
  await assert.rejects(eve.beta.files.delete(file.id), { status: 404 })
  await assert.rejects(eve.messages.create(naming(file.id) as never), { status: 404, message: /File not found/ })
  const stealing = await eve.messages.batches.create({
    requests: [{ custom_id: 'a', params: naming(file.id) as never }],
  })
  assert.equal((await untilEnded(eve.messages.batches, stealing.id)).request_counts.errored, 1)
  await untilEnded(ada.messages.batches, id)
})

test('a file is stored by the account, and messages that are sent on name it', async (t) => {
  const { client, sent } = await serve(t)
  const ada = client('k')
  const file = await upload(ada)
  assert.deepEqual(
    (await ada.beta.files.list()).data.map(({ id, filename }) => [id, filename]),
    [[file.id, 'a.txt']],
  )
  assert.equal(await (await ada.beta.files.download(file.id)).text(), 'The answer is 42.')
  const reply = await ada.messages.create(naming(file.id) as never)
  assert.equal((reply as { type: string }).type, 'message')
  await ada.beta.files.delete(file.id)
  assert.deepEqual((await ada.beta.files.list()).data, [])
  assert.deepEqual(
    sent.map((route) => route.replace(/file_\w+/, 'ID')),
    ['POST /v1/files', 'GET /v1/files/ID/content', 'POST /v1/messages', 'DELETE /v1/files/ID'],
  )
})

test('a batch is cancelled in the account, and one that is refused there has errors', async (t) => {
  const { client, above } = await serve(t, { concurrency: 0 })
  const { batches } = client('k').messages
  const { id } = await batches.create({ requests: [{ custom_id: 'a', params }] })
  while ((await above.messages.batches.list()).data.length === 0) await wait()
  await batches.cancel(id)
  while ((await above.messages.batches.list()).data[0]!.processing_status === 'in_progress') await wait()
  const refused = await batches.create(
    { requests: [{ custom_id: 'a', params }] },
    { headers: { 'anthropic-beta': 'refuse' } },
  )
  const results = await untilEnded(batches, refused.id)
  assert.equal(results.request_counts.errored, 1)
})

test('a key whose budget is spent, or that may not use the model, sends nothing', async (t) => {
  const { client, access, sent } = await serve(t)
  const poor = await access.keys.create({ name: 'poor', budgets: [{ usd: '0', per: 'day' }] })
  const narrow = await access.keys.create({ name: 'narrow', models: ['claude-haiku-*'] })
  const errors = await Promise.all(
    [poor, narrow].map(async ({ secret }) => {
      const { batches } = client(secret).messages
      const { id } = await batches.create({ requests: [{ custom_id: 'a', params }] })
      await untilEnded(batches, id)
      const result = (await resultsOf(batches, id)).get('a')
      return result?.type === 'errored' ? result.error.error.type : result?.type
    }),
  )
  assert.deepEqual(errors, ['rate_limit_error', 'permission_error'])
  assert.deepEqual(sent, [])
})

test('another server fetches the results of a batch whose server has ended', async (t) => {
  const first = await serve(t, { concurrency: 0 })
  const { batches } = first.client('k').messages
  const { id } = await batches.create({ requests: [{ custom_id: 'a', params }] })
  while (first.sent.length === 0) await wait()
  await first.server.close()
  const next = await serve(t, { database: first.database, account: first.account })
  // The account runs its batches from now on.
  first.startWork()
  assert.equal((await untilEnded(next.client('k').messages.batches, id)).request_counts.succeeded, 1)
  assert.equal(first.sent.filter((route) => route.startsWith('POST')).length, 1)
})

test('a batch is sent once by two servers, whatever their clocks say', async (t) => {
  const release = Promise.withResolvers<void>()
  const first = await serve(t, { beforeSending: () => release.promise })
  const { id } = await first.client('k').messages.batches.create({ requests: [{ custom_id: 'a', params }] })
  while (first.sent.length === 0) await wait()
  const { database, account } = first
  const next = await serve(t, { database, account, now: () => Date.now() + 23 * 3_600_000 })
  const { batches } = next.client('k').messages
  // It looks at the first batch before.
  const other = await batches.create({ requests: [{ custom_id: 'b', params }] })
  assert.equal((await untilEnded(batches, other.id)).request_counts.succeeded, 1)
  release.resolve()
  assert.equal((await untilEnded(batches, id)).request_counts.succeeded, 1)
  const sent = [...first.sent, ...next.sent].filter((route) => route.startsWith('POST'))
  assert.equal(sent.length, 2)
})

interface Serving {
  now?: () => number
  /** Delays what is sent to the account, after it was noted. */
  beforeSending?: () => Promise<void>
  /** The concurrency of the account's own worker. */
  concurrency?: number
  database?: Database
  account?: Server
}

interface Served {
  server: Server
  account: Server
  access: StoreAccess
  database: Database
  /** The client that sends to the account. */
  above: Anthropic
  /** The requests that the account received. */
  sent: string[]
  client: (key: string) => Official
  startWork: () => void
}

/** A server in front of an account of the API, which is a server too. */
async function serve(t: { after: (work: () => Promise<void>) => void }, options: Serving = {}): Promise<Served> {
  const theirs = memory()
  const theirStore = { database: theirs, close: () => theirs.close() }
  const work = (concurrency: number): Server =>
    createServer({ engine: offline(), store: theirStore, batches: { pollMs: 10, concurrency } })
  const account = options.account ?? work(options.concurrency ?? 8)
  const servers = [account]
  const sent: string[] = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    if (request.headers.get('anthropic-beta') === 'refuse') throw apiError('invalid_request_error', 'refused')
    const { pathname } = new URL(request.url)
    // Looks at a batch depend on the time.
    if (request.method !== 'GET' || pathname.endsWith('/content')) sent.push(`${request.method} ${pathname}`)
    if (request.method === 'POST') await options.beforeSending?.()
    return account.fetch(request)
  }
  const above = new Anthropic({ fetch, baseURL: 'http://account.test', apiKey: 'a', maxRetries: 0 })
  const database = options.database ?? memory()
  const store = { database, close: () => database.close() }
  const { now = Date.now } = options
  const access = await openAccess({ store, keys: ['k'], now })
  const server = createServer({ engine: upstream(above), access, store, now, passOn: { client: above, pollMs: 10 } })
  servers.push(server)
  t.after(async () => {
    for (const each of servers) await each.close()
    await access.close().catch(() => {})
    await database.close()
    await theirs.close()
  })
  const client = (apiKey: string): Official => new Official({ fetch: server.fetch, baseURL, apiKey, maxRetries: 0 })
  return { server, account, access, database, above, sent, client, startWork: () => void servers.push(work(8)) }
}

test('the client of others can be the account too', () => {
  const client = new Official({ apiKey: 'a' })
  const { messages, beta } = client
  const server = createServer({ engine: offline(), passOn: { client: { messages, files: beta.files } } })
  assert.ok(server)
})

function memory(): Database {
  return new SqliteDatabase(':memory:', { migrations })
}

function upload(client: Official): Promise<{ id: string }> {
  return client.beta.files.upload({ file: new File(['The answer is 42.'], 'a.txt', { type: 'text/plain' }) })
}

function naming(file_id: string): object {
  const content = [
    { type: 'document', source: { type: 'file', file_id } },
    { type: 'text', text: 'Hello' },
  ]
  return { ...params, messages: [{ role: 'user', content }] }
}

type Batches = Official['messages']['batches']
type Result = Official.Messages.MessageBatchIndividualResponse['result']

async function untilEnded(batches: Batches, id: string): Promise<Official.Messages.MessageBatch> {
  for (;;) {
    const batch = await batches.retrieve(id)
    if (batch.processing_status === 'ended') return batch
    await wait()
  }
}

async function resultsOf(batches: Batches, id: string): Promise<Map<string, Result>> {
  const results = new Map<string, Result>()
  for await (const { custom_id, result } of await batches.results(id)) results.set(custom_id, result)
  return results
}

function wait(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10))
}
