import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import Official, { toFile } from '@anthropic-ai/sdk'
import { StoreError } from 'colloquy/conversation/errors'
import { type Engine, type EngineContext, offline, script } from 'colloquy/engines'
import { apiError, costOf, type MessageCreateParams, type Usage } from 'colloquy/protocol'
import { databasePlaces } from '../../../../../test/databases.ts'
import { openAccess, type StoreAccess } from '../../access/open-access.ts'
import { createServer } from '../../app.ts'
import type { RequestRow } from '../../ledger/request-row.ts'
import type { Database } from '../../state/database.ts'
import { migrations } from '../../state/migrations.ts'
import { listen } from '../../operate/node.ts'
import { SqliteDatabase } from '../../state/sqlite-database.ts'
import { BatchQueue } from './batch-queue.ts'
import { BatchStore } from './batch-store.ts'
import type { BatchSettings } from './batch-worker.ts'
import { until } from '../../../../../test/until.ts'

const hourMs = 3_600_000
const folder = mkdtempSync(join(tmpdir(), 'colloquy-batches-'))
after(() => rmSync(folder, { recursive: true }))

const params = { model: 'claude-sonnet-4-6', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hello' }] }
const base = 'http://colloquy.test'

for (const [name, makePlace] of Object.entries(databasePlaces())) {
  describe(`batches on ${name}`, () => {
    const open = (): Database => makePlace(folder)(migrations)

    test('batches that are added at once do not pass the limit of what may wait together', async (t) => {
      const database = open()
      t.after(() => database.close())
      const store = new BatchStore(database)
      const items = ['a', 'b'].map((custom_id) => ({ custom_id, params: '{}' }))
      const batch = { workspace: 'w', key_id: '', version: '', betas: '[]', created_at: 1, expires_at: 2 }
      const add = (id: string): Promise<unknown> => store.add({ ...batch, id }, items, 5)
      await add('one')
      const added = await Promise.allSettled(['two', 'three', 'four'].map(add))
      assert.ok(added.filter(({ status }) => status === 'fulfilled').length <= 1)
      for (const each of added)
        if (each.status === 'rejected')
          assert.match(String(each.reason), /requests of batches are waiting, of at most 5/)
      const left = added.filter(({ status }) => status === 'fulfilled').length + 1
      for (const [table, rows] of [
        ['batch', left],
        ['batch_item', left * 2],
      ] as const)
        assert.equal((await database.rows('read', `SELECT 1 FROM %.${table}`)).length, rows)
    })

    test('a batch is worked on also if a hundred others wait', async (t) => {
      const database = open()
      t.after(() => database.close())
      const store = new BatchStore(database)
      const batch = { workspace: 'w', key_id: '', version: '', betas: '[]', created_at: 1, expires_at: 2 }
      const ids = Array.from({ length: 101 }, (_, index) => `batch_${1_000 + index}`)
      for (const id of ids) await store.add({ ...batch, id }, [{ custom_id: 'a', params: '{}' }], 1_000)
      const queue = new BatchQueue(database, { owner: 'o', leaseMs: 1_000 })
      assert.deepEqual([...(await queue.open()), ...(await queue.open())], ids)
      assert.deepEqual(await queue.open(), ids.slice(0, 100))
    })

    test('the official client creates, lists, reads and deletes a batch', async (t) => {
      const { batches, access, database } = await serve(t, { database: open() })
      const created = await batches.create({
        requests: [
          { custom_id: 'good', params },
          { custom_id: 'bad', params: { ...params, max_tokens: -1 } },
          { custom_id: 'streamed', params: { ...params, stream: true } as never },
          { custom_id: 'unknown', params: { ...params, model: 'gpt-5' } },
        ],
      })
      assert.match(created.id, /^msgbatch_01/)
      const counts = { processing: 4, succeeded: 0, errored: 0, canceled: 0, expired: 0 }
      assert.deepEqual(
        [created.processing_status, created.request_counts, created.results_url],
        ['in_progress', counts, null],
      )
      assert.equal(Date.parse(created.expires_at) - Date.parse(created.created_at), 86_400_000)

      const ended = await untilEnded(batches, created.id)
      assert.deepEqual(ended.request_counts, { processing: 0, succeeded: 1, errored: 3, canceled: 0, expired: 0 })
      assert.equal(ended.results_url, `${base}/v1/messages/batches/${created.id}/results`)
      const results = await resultsOf(batches, created.id)
      assert.deepEqual(
        ['bad', 'streamed', 'unknown'].map((id) => messageOf(results.get(id))),
        [
          'invalid_request_error: max_tokens: Input should be greater than or equal to 0',
          'invalid_request_error: stream: not supported in a batch',
          'not_found_error: model: gpt-5',
        ],
      )
      const good = results.get('good')
      assert.ok(good?.type === 'succeeded')
      assert.equal(good.message.usage.service_tier, 'batch')

      await access.close()
      const rows = await database.rows<RequestRow>('read', 'SELECT * FROM %.request')
      const usage = good.message.usage as Usage
      const full = costOf({ ...usage, service_tier: 'standard' }, params.model)!.picoUsd
      assert.deepEqual(
        rows.map(({ source, cost }) => [source, BigInt(cost!) * 2n]),
        [['batch', full]],
      )

      const listed = await batches.list()
      assert.deepEqual([listed.data.map(({ id }) => id), listed.has_more], [[created.id], false])
      assert.deepEqual(await batches.delete(created.id), { id: created.id, type: 'message_batch_deleted' })
      await assert.rejects(batches.retrieve(created.id), { status: 404 })
      assert.deepEqual(await database.rows('read', 'SELECT 1 FROM %.batch_item'), [])
    })

    test('results of a batch that is deleted meanwhile fail instead of ending early', async (t) => {
      const { batches } = await serve(t, { database: open() })
      const refused = { ...params, max_tokens: -1 }
      const requests = Array.from({ length: 101 }, (_, index) => ({ custom_id: `${index}`, params: refused }))
      const { id } = await batches.create({ requests })
      await untilEnded(batches, id)
      const results = (await batches.results(id))[Symbol.asyncIterator]()
      await results.next()
      await batches.delete(id)
      await assert.rejects(async () => {
        while (!(await results.next()).done) continue
      }, /was deleted while its results were read/)
    })

    test('a batch of an engine that replies at once holds up no other request', async (t) => {
      const reply = offline()
      let sinceTurn = 0
      let most = 0
      async function* engine(...given: Parameters<Engine>): ReturnType<Engine> {
        most = Math.max(most, ++sinceTurn)
        yield* reply(...given)
      }
      const { batches } = await serve(t, { database: open(), engine })
      // Counts the items in each turn of the event loop.
      let turn = setImmediate(function next() {
        sinceTurn = 0
        turn = setImmediate(next)
      })
      t.after(() => clearImmediate(turn))
      const requests = Array.from({ length: 30 }, (_, index) => ({ custom_id: `c${index}`, params }))
      await untilEnded(batches, (await batches.create({ requests })).id)
      assert.ok(most > 0 && most <= 8, `${most} items in one turn`)
    })

    test('a batch that is canceled ends with the results so far', async (t) => {
      const engine = script([{ reply: 'One' }, { reply: 'Two', after: 1, stall: true }])
      const { batches, server } = await serve(t, { database: open(), engine, settings: { concurrency: 1 } })
      const requests = ['a', 'b', 'c', 'd'].map((custom_id) => ({ custom_id, params }))
      const { id } = await batches.create({ requests })
      await assert.rejects(batches.delete(id), { status: 400, message: /has not ended: cancel it before/ })
      await assert.rejects(batches.results(id), /Has it finished processing/)
      await until(() => engine.requests.length === 2)
      const canceling = await batches.cancel(id)
      assert.deepEqual([canceling.processing_status, canceling.request_counts.processing], ['canceling', 4])
      assert.ok(canceling.cancel_initiated_at)
      // The item in flight stalls: it is given back when the server closes, and then no worker begins it.
      await server.close()
      const next = await serve(t, { database: server.database })
      const { request_counts: counts } = await untilEnded(next.batches, id)
      assert.deepEqual(counts, { processing: 0, succeeded: 1, errored: 0, canceled: 3, expired: 0 })
      assert.deepEqual((await resultsOf(next.batches, id)).get('d'), { type: 'canceled' })
      await assert.rejects(next.batches.cancel(id), { status: 400, message: /has ended and cannot be canceled/ })
    })

    test('items that are not begun within 24 hours expire, and results within 29 days', async (t) => {
      let now = Date.UTC(2026, 10, 26)
      const database = open()
      const idle = await serve(t, { database, now: () => now, settings: { concurrency: 0 } })
      const { id } = await idle.batches.create({ requests: [{ custom_id: 'a', params }] })
      now += 86_400_000
      const { batches } = await serve(t, { database, now: () => now })
      assert.equal((await untilEnded(batches, id)).request_counts.expired, 1)
      assert.deepEqual((await resultsOf(batches, id)).get('a'), { type: 'expired' })
      now += 29 * 86_400_000
      await until(async () => (await batches.retrieve(id)).archived_at !== null)
      assert.equal((await batches.retrieve(id)).results_url, null)
    })

    test('an item that runs is not taken by another server, whatever their clocks say', async (t) => {
      const database = open()
      const [started, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      let asked = 0
      const reply = offline()
      async function* engine(sent: MessageCreateParams, context?: EngineContext): ReturnType<Engine> {
        asked++
        started.resolve()
        await release.promise
        yield* reply(sent, context)
      }
      let behindMs = 0
      const settings = { leaseMs: 400 }
      const here = await serve(t, { database, engine, now: () => Date.now() - behindMs, settings })
      const { id } = await here.batches.create({ requests: [{ custom_id: 'a', params }] })
      await started.promise
      const there = await serve(t, { database, engine, now: () => Date.now() + 23 * hourMs, settings })
      const other = await there.batches.create({ requests: [{ custom_id: 'b', params }] })
      await until(() => asked === 2)
      // The lease is still renewed when the clock is set back.
      behindMs = hourMs
      const sql = 'SELECT max(lease_until) AS at FROM %.batch_item WHERE batch = :id'
      const lease = async (): Promise<number> => (await database.rows<{ at: number }>('read', sql, { id }))[0]!.at
      for (let times = 0; times < 8; times++) {
        const before = await lease()
        await until(async () => (await lease()) !== before)
      }
      release.resolve()
      assert.equal((await untilEnded(here.batches, id)).request_counts.succeeded, 1)
      assert.equal((await untilEnded(there.batches, other.id)).request_counts.succeeded, 1)
      assert.equal(asked, 2)
    })

    test('an overloaded engine is tried again, and an error of the request is not', async (t) => {
      let asked = 0
      const reply = offline()
      async function* engine(sent: MessageCreateParams, context?: EngineContext): ReturnType<Engine> {
        if (++asked < 3) throw apiError('overloaded_error', 'Overloaded')
        yield* reply(sent, context)
      }
      const { batches } = await serve(t, { database: open(), engine })
      const { id } = await batches.create({ requests: [{ custom_id: 'a', params }] })
      assert.equal((await untilEnded(batches, id)).request_counts.succeeded, 1)
      assert.equal(asked, 3)
    })

    test('an item whose file cannot be read as the database is away is tried again', async (t) => {
      const { batches, client, database } = await serve(t, { database: open() })
      const { id: file_id } = await client('k').files.upload({
        file: await toFile(Buffer.from('hi'), 'hi.txt', { type: 'text/plain' }),
      })
      const rows = database.rows.bind(database)
      let failures = 0
      database.rows = async <Row>(doing: string, ...rest: [sql: string]): Promise<Row[]> => {
        if (doing === 'read the file' && failures++ < 2)
          throw new StoreError('cannot_open', 'Cannot read the file: the database db.internal cannot be reached')
        return rows<Row>(doing, ...rest)
      }
      const content = [{ type: 'document' as const, source: { type: 'file' as const, file_id } }]
      const asked = { ...params, messages: [{ role: 'user' as const, content }] }
      const { id } = await batches.create({ requests: [{ custom_id: 'a', params: asked }] })
      assert.equal((await untilEnded(batches, id)).request_counts.succeeded, 1)
    })

    test('batches are found only in their workspace, newest first', async (t) => {
      const { access, client, batches } = await serve(t, { database: open() })
      const other = await access.keys.create({ name: 'eve', workspace: 'other' })
      const ids: string[] = []
      for (const custom_id of ['a', 'b', 'c']) {
        ids.unshift((await batches.create({ requests: [{ custom_id, params }] })).id)
        await sleep(2)
      }
      const first = await batches.list({ limit: 2 })
      assert.deepEqual([first.data.map(({ id }) => id), first.has_more], [ids.slice(0, 2), true])
      const back = await batches.list({ before_id: ids[2]!, limit: 1 })
      assert.deepEqual([back.data.map(({ id }) => id), back.has_more], [[ids[1]], true])
      const all: string[] = []
      for await (const { id } of batches.list({ limit: 1 })) all.push(id)
      assert.deepEqual(all, ids)
      const eve = client(other.secret).messages.batches
      assert.deepEqual((await eve.list()).data, [])
      for (const method of ['retrieve', 'cancel', 'delete'] as const)
        await assert.rejects(eve[method](ids[0]!), { status: 404 })
      assert.deepEqual((await eve.list({ before_id: 'msgbatch_01' })).data, [])
      await assert.rejects(batches.list({ after_id: 'nope' }), { status: 400, message: /after_id: no batch with id/ })
    })

    test('a batch that is deleted while the pages are read keeps its place', async (t) => {
      const { batches } = await serve(t, { database: open() })
      for (const custom_id of ['a', 'b', 'c']) {
        const { id } = await batches.create({ requests: [{ custom_id, params }] })
        await untilEnded(batches, id)
      }
      for await (const { id } of batches.list({ limit: 1 })) await batches.delete(id)
      assert.deepEqual((await batches.list()).data, [])
    })

    test('a key whose budget is spent or that is revoked pays for no more items', async (t) => {
      const { access, client, batches } = await serve(t, { database: open(), settings: { concurrency: 0 } })
      const { secret } = await access.keys.create({ name: 'poor', budgets: [{ usd: '0.000001', per: 'day' }] })
      const gone = await access.keys.create({ name: 'gone' })
      const requests = [{ custom_id: 'a', params }]
      const ids = await Promise.all(
        [secret, gone.secret].map(async (key) => (await client(key).messages.batches.create({ requests })).id),
      )
      await access.keys.revoke('gone')
      const { batches: worked } = await serve(t, { database: access.database })
      const errors = await Promise.all(
        ids.map(async (id) => {
          await untilEnded(worked, id)
          return messageOf((await resultsOf(worked, id)).get('a'))
        }),
      )
      assert.match(errors[0]!, /^rate_limit_error: .*budget|usage limits/)
      assert.equal(errors[1], 'authentication_error: Invalid bearer token')
      assert.equal((await batches.retrieve(ids[0]!)).request_counts.errored, 1)
    })
  })
}

test('client.beta.messages.batches of the official client runs a batch', async (t) => {
  const database = new SqliteDatabase(':memory:', { migrations })
  const { client } = await serve(t, { database })
  const { batches } = client('k').beta.messages
  const requests = ['a', 'b'].map((custom_id) => ({ custom_id, params }))
  const { id } = await batches.create({ requests, betas: ['message-batches-2024-09-24'] })
  await until(async () => (await batches.retrieve(id)).processing_status === 'ended')
  const seen: string[] = []
  for await (const { custom_id, result } of await batches.results(id)) seen.push(`${custom_id} ${result.type}`)
  assert.deepEqual(seen, ['a succeeded', 'b succeeded'])
  assert.deepEqual(
    (await batches.list({ limit: 1 })).data.map((batch) => batch.id),
    [id],
  )
  await assert.rejects(batches.cancel(id), Official.BadRequestError)
  assert.equal((await batches.delete(id)).type, 'message_batch_deleted')
  await assert.rejects(batches.results(id), Official.NotFoundError)
})

test('the URL of results leads to the port, and to https and a path behind a proxy', async (t) => {
  const database = new SqliteDatabase(join(folder, 'port.db'), { migrations })
  const store = { database, close: () => database.close() }
  const { url, close } = await listen(createServer({ engine: offline(), store, batches: { pollMs: 20 } }))
  t.after(async () => {
    await close({ graceMs: 0 })
    await database.close()
  })
  const { batches } = new Official({ baseURL: url, apiKey: 'none', maxRetries: 0 }).messages
  const { id } = await batches.create({ requests: [{ custom_id: 'a', params }] })
  const ended = await untilEnded(batches, id)
  assert.equal(ended.results_url, `${url}/v1/messages/batches/${id}/results`)
  assert.equal((await resultsOf(batches, id)).get('a')?.type, 'succeeded')
  const proxied = async (prefix: string): Promise<string | null> => {
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-prefix': prefix }
    return (await batches.retrieve(id, {}, { headers })).results_url
  }
  const origin = url.replace('http:', 'https:')
  const below: Record<string, string> = { '': '', '/colloquy': '/colloquy', '/a.b/c-d/': '/a.b/c-d' }
  // No other host, and nothing that is not a path.
  for (const refused of ['/', '//evil.example', 'evil', '/a b', '/a;b', '/a?b', '/a, /b']) below[refused] = ''
  for (const [prefix, path] of Object.entries(below))
    assert.equal(await proxied(prefix), `${origin}${path}/v1/messages/batches/${id}/results`, prefix)
})

test('an envelope with a mistake is refused whole', async (t) => {
  const database = new SqliteDatabase(join(folder, 'envelopes.db'), { migrations })
  const { batches } = await serve(t, { database })
  const item = { custom_id: 'a', params }
  const cases: [body: unknown, message: RegExp][] = [
    [{}, /requests: Field required/],
    [{ requests: [] }, /requests: List should have at least 1 item after validation, not 0/],
    [{ requests: [{ params }] }, /requests\.0\.custom_id: Field required/],
    [{ requests: [{ custom_id: 'a b', params }] }, /requests\.0\.custom_id: String should match pattern/],
    [{ requests: [{ custom_id: 'x'.repeat(65), params }] }, /requests\.0\.custom_id: String should match pattern/],
    [{ requests: [{ custom_id: 'a', params: 1 }] }, /requests\.0\.params: Input should be a valid dictionary/],
    [{ requests: [item, item] }, /requests\.1\.custom_id: 'a' is not unique: requests\.0 has the same/],
    [{ requests: [{ ...item, more: 1 }] }, /requests\.0\.more: Extra inputs are not permitted/],
  ]
  for (const [body, message] of cases) await assert.rejects(batches.create(body as never), { status: 400, message })
  const many = { requests: Array.from({ length: 100_001 }, () => 0) }
  await assert.rejects(batches.create(many as never), { status: 413, message: /at most 100000 requests, not 100001/ })
  assert.deepEqual(await database.rows('read', 'SELECT 1 FROM %.batch'), [])
})

type Batches = Official['messages']['batches']

async function untilEnded(batches: Batches, id: string): Promise<Official.Messages.MessageBatch> {
  await until(async () => (await batches.retrieve(id)).processing_status === 'ended')
  return batches.retrieve(id)
}

async function resultsOf(
  batches: Batches,
  id: string,
): Promise<Map<string, Official.Messages.MessageBatchIndividualResponse['result']>> {
  const results = new Map<string, Official.Messages.MessageBatchIndividualResponse['result']>()
  for await (const { custom_id, result } of await batches.results(id)) results.set(custom_id, result)
  return results
}

function messageOf(result: Official.Messages.MessageBatchIndividualResponse['result'] | undefined): string {
  assert.ok(result?.type === 'errored')
  const { type, message } = result.error.error
  return `${type}: ${message}`
}

interface Served {
  database: Database
  engine?: Engine
  settings?: BatchSettings
  now?: () => number
}

async function serve(
  t: { after: (work: () => Promise<void>) => void },
  { database, engine = offline(), settings, now = Date.now }: Served,
): Promise<{
  access: StoreAccess & { database: Database }
  database: Database
  server: { close(): Promise<void>; database: Database }
  client: (apiKey: string) => Official
  batches: Batches
}> {
  const store = { database, close: () => database.close() }
  const access = await openAccess({ store, now, keys: ['k'] })
  const batchSettings = { leaseMs: 1_000, pollMs: 20, ...settings }
  const server = createServer({ engine, access, store, now, batches: batchSettings })
  t.after(async () => {
    await server.close()
    await access.close().catch(() => {})
    await database.close().catch(() => {})
  })
  const client = (apiKey: string): Official =>
    new Official({ fetch: server.fetch, baseURL: base, apiKey, maxRetries: 0 })
  return {
    access: Object.assign(access, { database }),
    database,
    server: { close: () => server.close(), database },
    client,
    batches: client('k').messages.batches,
  }
}
