import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { offline } from 'colloquy/engines'
import { databasePlaces } from '../../../../test/databases.ts'
import { createServer } from '../app.ts'
import type { RequestRow } from '../ledger/request-row.ts'
import type { AccessEntry } from '../operate/request-log.ts'
import type { Database } from '../state/database.ts'
import { migrations } from '../state/migrations.ts'
import { SqliteDatabase } from '../state/sqlite-database.ts'
import { openAccess, type StoreAccess } from './open-access.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-refusals-'))
after(() => rmSync(folder, { recursive: true }))

const ask = { model: 'claude-sonnet-4-6', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] }

for (const [name, makePlace] of Object.entries(databasePlaces())) {
  describe(`refused requests on ${name}`, () => {
    test('each has a row with its status and error, without cost', async (t) => {
      const { access, call, rows } = await serve(t, makePlace(folder)(migrations))
      const { key, secret } = await access.keys.create({
        name: 'ada',
        models: ['claude-sonnet-*'],
        limits: { requests_per_minute: 1 },
      })
      await call('POST', '/v1/messages', ask)
      await call('POST', '/v1/messages', ask, 'sk-colloquy-wrong')
      await call('POST', '/v1/messages', { ...ask, max_tokens: -1 }, secret)
      await call('POST', '/v1/messages', '{', secret)
      await call('POST', '/v1/messages', { ...ask, model: 'claude-nine' }, secret)
      await call('POST', '/v1/messages', { ...ask, messages: [{ role: 'user', content: 'x'.repeat(5_000) }] }, secret)
      await call('GET', '/v1/messages', undefined, secret)
      await call('GET', '/v1/nothing', undefined, secret)
      await call('POST', '/v1/messages', { ...ask, model: 'claude-haiku-4-5' }, secret)
      await call('POST', '/v1/messages', ask, secret)
      await call('POST', '/v1/messages', ask, secret)
      // These do not belong to the API.
      await call('GET', '/favicon.ico')
      await call('GET', '/admin/keys')
      const ada = key.id
      assert.deepEqual(
        (await rows()).map((row) => [row.status, row.error_type, row.key_id, row.model, row.path]),
        [
          [401, 'authentication_error', '', '', '/v1/messages'],
          [401, 'authentication_error', '', '', '/v1/messages'],
          [400, 'invalid_request_error', ada, 'claude-sonnet-4-6', '/v1/messages'],
          [400, 'invalid_request_error', ada, '', '/v1/messages'],
          [404, 'not_found_error', ada, 'claude-nine', '/v1/messages'],
          [413, 'request_too_large', ada, '', '/v1/messages'],
          [405, 'invalid_request_error', ada, '', '/v1/messages'],
          [404, 'not_found_error', ada, '', '/v1/nothing'],
          [403, 'permission_error', ada, 'claude-haiku-4-5', '/v1/messages'],
          [200, null, ada, 'claude-sonnet-4-6', '/v1/messages'],
          [429, 'rate_limit_error', ada, 'claude-sonnet-4-6', '/v1/messages'],
        ],
      )
      for (const row of await rows()) if (row.status !== 200) assert.deepEqual([row.cost, row.attempts], [0, 0])
    })

    test('a sender without a key cannot fill the database', async (t) => {
      const { access, call, rows, pass } = await serve(t, makePlace(folder)(migrations))
      const { secret } = await access.keys.create({ name: 'ada' })
      for (let count = 0; count < 100; count++) await call('POST', `/v1/${count}`, { ...ask, model: `m-${count}` })
      assert.equal((await rows()).length, 60)
      for (let count = 0; count < 5; count++)
        await call('POST', '/v1/messages', { ...ask, model: `m-${count}` }, secret)
      assert.equal((await rows()).length, 65)
      pass(60_000)
      await call('POST', '/v1/messages', ask)
      assert.equal((await rows()).length, 66)
      const totals = await access.admin(new Request('http://test/admin/usage?by=model'), {
        key: undefined,
        workspace: 'default',
        isAdmin: true,
      })
      const { rows: groups } = (await totals.json()) as { rows: { group: object; failed: number; latency: object }[] }
      // Names of models that were not checked make no rows of their own.
      assert.deepEqual(
        groups.map(({ group, failed, latency }) => [group, failed, latency]),
        [[{ model: '' }, 66, { p50_ms: null, p95_ms: null, p99_ms: null }]],
      )
    })
  })
}

test('the log of a request names its key', async (t) => {
  const { access, call, log } = await serve(t, new SqliteDatabase(':memory:', { migrations }))
  const { key, secret } = await access.keys.create({ name: 'ada', workspace: 'team' })
  await call('POST', '/v1/messages', ask, secret)
  await call('POST', '/v1/messages', {}, secret)
  await call('POST', '/v1/messages', ask)
  assert.deepEqual(
    log.map((entry) => [entry.key, entry.workspace]),
    [
      [{ id: key.id, name: 'ada' }, 'team'],
      [{ id: key.id, name: 'ada' }, 'team'],
      [null, null],
    ],
  )
})

interface Served {
  access: StoreAccess
  call(method: string, path: string, body?: unknown, key?: string): Promise<void>
  /** The rows of the ledger, the oldest first. */
  rows(): Promise<RequestRow[]>
  log: AccessEntry[]
  /** Lets time pass. */
  pass(ms: number): void
}

async function serve(t: { after: (work: () => Promise<void>) => void }, database: Database): Promise<Served> {
  let time = Date.UTC(2026, 10, 26)
  const log: AccessEntry[] = []
  const now = (): number => time++
  const store = { database, close: () => database.close() }
  const access = await openAccess({ store, now, flushMs: 10_000_000 })
  const server = createServer({ engine: offline(), access, now, maxBodyBytes: 4_000, log: (entry) => log.push(entry) })
  t.after(async () => {
    await access.close()
    await database.close()
  })
  return {
    access,
    log,
    pass: (ms) => (time += ms),
    async call(method, path, body, key) {
      const response = await server.fetch(`http://test${path}`, {
        method,
        headers: { 'anthropic-version': '2023-06-01', ...(key !== undefined && { 'x-api-key': key }) },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      await response.text()
    },
    async rows() {
      const caller = { key: undefined, workspace: 'default', isAdmin: true }
      // Reading the usage writes what was settled.
      await (await access.admin(new Request('http://test/admin/usage'), caller)).text()
      return database.rows<RequestRow>('read', 'SELECT * FROM %.request ORDER BY started_at, id')
    },
  }
}
