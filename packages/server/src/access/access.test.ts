import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import Anthropic from 'colloquy'
import { type Engine, offline, script } from 'colloquy/engines'
import { fromUsd } from 'colloquy/protocol'
import { databasePlaces } from '../../../../test/databases.ts'
import { createServer } from '../app.ts'
import type { RequestRow } from '../ledger/request-row.ts'
import type { Database } from '../state/database.ts'
import { migrations } from '../state/migrations.ts'
import { SqliteDatabase } from '../state/sqlite-database.ts'
import type { LimitCounter } from './limits/counter.ts'
import { MemoryCounter } from './limits/memory-counter.ts'
import { type AccessOptions, openAccess, StoreAccess } from './open-access.ts'
import { until } from '../../../../test/until.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-access-'))
after(() => rmSync(folder, { recursive: true }))

const ask = { model: 'claude-sonnet-4-6', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hello' }] }

test('close() closes the counter of limits although settled requests are lost', async () => {
  let closed = 0
  const close = async (): Promise<void> => void closed++
  const counter: LimitCounter = Object.assign(new MemoryCounter(), { close })
  const database = new SqliteDatabase(':memory:', { migrations })
  const store = { database, close: () => database.close() }
  const access = new StoreAccess({ store, keys: ['k'], flushMs: 3_600_000 }, counter)
  const { fetch } = createServer({ engine: offline(), access })
  await new Anthropic({ fetch, baseURL: 'http://localhost', apiKey: 'k' }).messages.create(ask)
  await database.close()
  await assert.rejects(access.close(), /a settled request is lost/)
  assert.equal(closed, 1)
})

for (const [name, makePlace] of Object.entries(databasePlaces())) {
  describe(`access on ${name}`, () => {
    const open = (): Database => makePlace(folder)(migrations)

    test('a server without keys answers anyone only if it is told to', async (t) => {
      const { access, client } = await serve(t, { database: open() })
      await assert.rejects(client().messages.create(ask), { status: 401 })
      const lenient = await serve(t, { database: open(), anonymous: true })
      assert.equal((await lenient.client().messages.create(ask)).role, 'assistant')
      await lenient.access.keys.create({ name: 'ada' })
      await access.close()
    })

    test('a key is accepted until it is revoked, rotated or expires', async (t) => {
      let now = Date.UTC(2026, 10, 26)
      const { access, client } = await serve(t, { database: open(), now: () => now, anonymous: true })
      const { key, secret } = await access.keys.create({ name: 'ada', expiresAt: now + 100_000 })
      assert.match(secret, /^sk-colloquy-[\w-]{32}$/)
      assert.equal(key.hint, `sk-colloquy-…${secret.slice(-4)}`)
      const isAccepted = async (given: string): Promise<boolean> => {
        now += 2_001 // Look-ups are remembered for two seconds.
        return client(given)
          .models.list()
          .then(
            () => true,
            (error: unknown) => (assert.equal(statusOf(error), 401), false),
          )
      }
      assert.equal(await isAccepted(secret), true)
      assert.equal(await isAccepted(`${secret}x`), false)
      const rotated = await access.keys.rotate('ada', { graceMs: 10_000 })
      assert.deepEqual([await isAccepted(secret), await isAccepted(rotated.secret)], [true, true])
      now += 10_000
      assert.deepEqual([await isAccepted(secret), await isAccepted(rotated.secret)], [false, true])
      await access.keys.revoke(key.id)
      assert.equal(await isAccepted(rotated.secret), false)
      const second = await access.keys.create({ name: 'bob', expiresAt: now + 10_000 })
      assert.equal(await isAccepted(second.secret), true)
      now += 10_000
      assert.equal(await isAccepted(second.secret), false)
      await access.keys.remove('bob')
      assert.deepEqual(
        (await access.keys.list()).map(({ name, revokedAt }) => [name, revokedAt !== null]),
        [['ada', true]],
      )
      await assert.rejects(access.keys.create({ name: 'ada' }), { name: 'KeyError', code: 'exists' })
      await assert.rejects(access.keys.create({ name: 'a b' }), { name: 'KeyError', code: 'invalid' })
      await assert.rejects(access.keys.revoke('bob'), { message: 'There is no key bob' })
    })

    test('the database holds no secret', async (t) => {
      const database = open()
      const { access } = await serve(t, { database })
      const { secret } = await access.keys.create({ name: 'ada' })
      await access.keys.rotate('ada')
      const rows = await database.rows('read', 'SELECT * FROM %.access_key')
      assert.ok(!JSON.stringify(rows).includes(secret.slice(12)))
    })

    test('limits answer 429 with the headers of the API, and refill', async (t) => {
      let now = Date.UTC(2026, 10, 26)
      const { access, client } = await serve(t, { database: open(), now: () => now })
      const limits = { requests_per_minute: 2, output_tokens_per_minute: 60_000 }
      const { secret } = await access.keys.create({ name: 'ada', limits, models: ['claude-*'] })
      const ada = client(secret)
      const { response } = await ada.messages.create(ask).withResponse()
      const { headers } = response
      assert.deepEqual(
        ['requests-limit', 'requests-remaining', 'requests-reset', 'output-tokens-limit', 'tokens-limit'].map((each) =>
          headers.get(`anthropic-ratelimit-${each}`),
        ),
        ['2', '1', '2026-11-26T00:00:30Z', '60000', '60000'],
      )
      await ada.messages.create(ask)
      await assert.rejects(ada.messages.create(ask), (error: InstanceType<typeof Anthropic.RateLimitError>) => {
        assert.equal(error.status, 429)
        assert.equal(error.headers?.get('retry-after'), '30')
        assert.equal(error.headers.get('anthropic-ratelimit-requests-remaining'), '0')
        assert.equal(error.headers.get('anthropic-ratelimit-output-tokens-limit'), '60000')
        assert.match(error.message, /would exceed your rate limit of 2 requests per minute \(key: ada, model: claude-s/)
        return true
      })
      assert.equal((await ada.messages.create({ ...ask, model: 'claude-haiku-4-5' })).type, 'message')
      now += 30_000
      await ada.messages.create(ask)
      await assert.rejects(ada.messages.create({ ...ask, model: 'gpt-5' }), { status: 404 })
      await access.keys.update('ada', { models: ['claude-opus-*'] })
      now += 2_001
      await assert.rejects(ada.messages.create(ask), {
        status: 403,
        message: /may not use the model claude-sonnet-4-6/,
      })
    })

    test('a key for a model takes each name of the model', async (t) => {
      const { access, client } = await serve(t, { database: open() })
      const names = ['claude-haiku-4-5', 'claude-haiku-4-5-20251001']
      for (const [index, allowed] of names.entries()) {
        const { secret } = await access.keys.create({ name: `key-${index}`, models: [allowed] })
        for (const model of names)
          assert.equal((await client(secret).messages.create({ ...ask, model })).model, names[1])
        await assert.rejects(client(secret).messages.create({ ...ask, model: 'claude-haiku-5-5' }), { status: 403 })
      }
    })

    test('parallel requests on several servers never exceed a budget', async (t) => {
      const make = makePlace(folder)
      const servers = await Promise.all(
        Array.from({ length: 3 }, () => serve(t, { database: make(migrations), engine: counting() })),
      )
      const { secret } = await servers[0]!.access.keys.create({ name: 'ada', budgets: [{ usd: '0.05', per: 'day' }] })
      const outcomes = await Promise.all(
        Array.from({ length: 90 }, (_, index) =>
          servers[index % 3]!.client(secret)
            .messages.create({ ...ask, max_tokens: 500 })
            .then(() => 200, statusOf),
        ),
      )
      await Promise.all(servers.map(({ access }) => access.close()))
      const db = make(migrations)
      const [{ spent, reserved }] = (await db.rows('read', 'SELECT spent, reserved FROM %.account')) as [
        Record<string, number>,
      ]
      const rows = await db.rows<RequestRow>('read', 'SELECT * FROM %.request')
      const total = rows.reduce((sum, { cost }) => sum + BigInt(cost ?? 0), 0n)
      const [hours] = await db.rows<Record<string, number>>(
        'read',
        'SELECT sum(cost) AS cost, sum(requests) AS requests, sum(failed) AS failed FROM %.usage_hour',
      )
      await db.close()
      const answered = outcomes.filter((status) => status === 200).length
      assert.ok(answered >= 5 && answered < 90, `${answered} were answered`)
      assert.deepEqual(new Set(outcomes), new Set([200, 429]))
      assert.ok(BigInt(spent!) <= fromUsd('0.05'))
      assert.deepEqual([BigInt(spent!), reserved], [total, 0])
      assert.deepEqual({ ...hours }, { cost: spent, requests: 90, failed: 90 - answered })
    })

    test('a request that the client aborts is charged for what it used', async (t) => {
      const database = open()
      const engine = script([{ reply: 'word '.repeat(400), after: 20, stall: true }])
      const { access, client } = await serve(t, { database, engine, flushMs: 10 })
      const { secret, key } = await access.keys.create({
        name: 'ada',
        budgets: [{ usd: '1', per: 'total', each: 'user' }],
      })
      const stream = client(secret).messages.stream({ ...ask, metadata: { user_id: 'u-1' } })
      let deltas = 0
      const reading = (async () => {
        for await (const event of stream) if (event.type === 'content_block_delta' && ++deltas === 10) stream.abort()
      })()
      await assert.rejects(reading, { name: 'APIUserAbortError' })
      await until(async () => (await database.rows('read', 'SELECT 1 FROM %.request')).length > 0)
      const [row] = await database.rows<RequestRow>('read', 'SELECT * FROM %.request')
      const { key_id, user_id, status, error_type, stop_reason, estimated, output, cost } = row!
      assert.deepEqual(
        { key_id, user_id, status, error_type, stop_reason, estimated },
        { key_id: key.id, user_id: 'u-1', status: 499, error_type: 'aborted', stop_reason: null, estimated: 1 },
      )
      assert.ok(output >= 40 && output <= 80, `${output} tokens`)
      const [account] = await database.rows<{ spent: number; name: string }>(
        'read',
        'SELECT name, spent FROM %.account',
      )
      assert.deepEqual(
        [account!.name, account!.spent],
        [JSON.stringify([key.id, 'user', 'u-1', 'total']), Number(cost)],
      )
    })
  })
}

test('a request that is refused after it was counted elsewhere gives its place back', async (t) => {
  const database = new SqliteDatabase(':memory:', { migrations })
  const memory = new MemoryCounter()
  // Counts as Redis does: the answer takes a moment.
  const counter: LimitCounter = {
    problem: undefined,
    begin: async (request) => memory.begin(request),
    end: async (usage) => memory.end(usage),
    close: async () => {},
  }
  const access = new StoreAccess({ store: { database, close: () => database.close() } }, counter)
  t.after(async () => {
    await access.close()
    await database.close()
  })
  const { secret } = await access.keys.create({
    name: 'ada',
    limits: { concurrent_requests: 1 },
    budgets: [{ usd: '1', per: 'day' }],
  })
  const { fetch } = createServer({ engine: offline(), lenient: true, access })
  const client = new Anthropic({ fetch, baseURL: 'http://colloquy.test', apiKey: secret, maxRetries: 0 })
  for (const _ of [1, 2]) {
    await assert.rejects(client.messages.create({ ...ask, model: 'unpriced' }), {
      status: 400,
      message: /no price for unpriced/,
    })
  }
  assert.equal((await client.messages.create(ask)).type, 'message')
})

function statusOf(error: unknown): number {
  return (error as { status: number }).status
}

/** An engine whose replies cost about a cent. */
function counting(): Engine {
  return script([{ reply: 'word '.repeat(150), times: 1_000 }])
}

interface Served {
  database: Database
  engine?: Engine
}

async function serve(
  t: { after: (work: () => Promise<void>) => void },
  { database, engine = offline(), ...options }: Partial<Omit<AccessOptions, 'engine'>> & Served,
): Promise<{ access: StoreAccess; client: (apiKey?: string) => Anthropic }> {
  const access = await openAccess({ ...options, store: { database, close: () => database.close() } })
  const server = createServer({ engine, access, ...(options.now && { now: options.now }) })
  t.after(async () => {
    await access.close().catch(() => {})
    await database.close()
  })
  const client = (apiKey = 'none'): Anthropic =>
    new Anthropic({ fetch: server.fetch, baseURL: 'http://colloquy.test', apiKey, maxRetries: 0 })
  return { access, client }
}
