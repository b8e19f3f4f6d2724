import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Keys, Ledger, listRequests, findRequest, readUsage, type RequestRow } from '@colloquy/server/access'
import { openServerStore, type Database } from '@colloquy/server/store'
import { Partitions } from '../packages/server/src/ledger/partitions.ts'
import { refusedRow } from '../packages/server/src/ledger/request-row.ts'
import { startPostgres } from '../test/postgres-server.ts'

/** Requests that the totals stand for, and requests that are kept one by one. */
const scale = { requests: 100_000_000, detailed: Number(process.env['CAPACITY_ROWS'] ?? 2_000_000) }
const keyCount = 50
const models = ['claude-opus-4-8', 'claude-sonnet-4-6', 'claude-haiku-4-5']
const hourMs = 3_600_000
const dayMs = 24 * hourMs
const days = 365
const batchSize = 250
const rounds = 15

interface Measured {
  name: string
  empty: number
  full: number
}

/** The time that PostgreSQL takes, empty and with a year of 100 million requests. */
export async function* report(): AsyncGenerator<string> {
  yield await usageInSqlite()
  const postgres = startPostgres()
  if (postgres === undefined) throw new Error('Cannot measure: no PostgreSQL is installed that this user may start')
  const store = await openServerStore(postgres.url)
  try {
    const { database } = store
    const keys = new Keys(database)
    const names = Array.from({ length: keyCount }, (_, index) => `key-${index}`)
    const created = []
    for (const name of names) created.push(await keys.create({ name }))
    const ids = created.map(({ key }) => key.id)
    const facts = { database, keys, secret: created[0]!.secret, keyIds: ids }
    const empty = await measure(facts)
    const seconds = await fill(database, ids)
    yield `Filled in ${seconds.toFixed(0)} s: ${await sizes(database)}`
    const full = await measure(facts)
    const rows = empty.map(({ name, ms }, index): Measured => ({ name, empty: ms, full: full[index]!.ms }))
    yield table(rows)
  } finally {
    await store.close()
    postgres.stop()
  }
}

/** `colloquy usage` of a month with a million requests, by 10 keys on 3 models, in a SQLite file. */
async function usageInSqlite(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-capacity-'))
  const store = await openServerStore(join(folder, 'server.db'))
  const { database } = store
  const now = Date.now()
  const perRow = Math.round(1_000_000 / (30 * 24 * 10 * models.length))
  const series = (name: string, most: number): string =>
    `${name} AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM ${name} WHERE n < ${most - 1})`
  const places = `WITH RECURSIVE ${series('h', 30 * 24)}, ${series('k', 10)}, ${series('m', 3)}, ${series('b', 10)}`
  const place = `${now - (now % hourMs)} - h.n * ${hourMs}, 'default', 'key-' || k.n, 'model-' || m.n, 'api'`
  await database.rows(
    'fill',
    `${places} INSERT INTO usage_hour SELECT ${place}, ${perRow}, 1, 0, 0, 46000, 0, 0, 230000, 23000, 483000000000, 0, 0 FROM h, k, m`,
  )
  await database.rows(
    'fill',
    `${places} INSERT INTO latency_day SELECT ${now - (now % dayMs)} - h.n * ${dayMs}, 'default', 'key-' || k.n, 'model-' || m.n,
       'api', 86 + b.n, 100 FROM h, k, m, b WHERE h.n < 30`,
  )
  const query = { since: now - 30 * dayMs, until: now + 1 }
  const ms = await cpuOf(() => readUsage(database, { ...query, by: ['day'] }))
  const both = await cpuOf(() => readUsage(database, { ...query, by: ['key', 'model'] }))
  const { total } = await readUsage(database, { ...query, by: [] })
  await store.close()
  rmSync(folder, { recursive: true })
  return `SQLite: usage of ${(total.requests / 1e6).toFixed(2)} M requests by day ${ms.toFixed(0)} ms of CPU, by key and model ${both.toFixed(0)} ms`
}

interface Facts {
  database: Database
  keys: Keys
  secret: string
  keyIds: readonly string[]
}

async function measure({ database, keys, secret, keyIds }: Facts): Promise<{ name: string; ms: number }[]> {
  const now = Date.now()
  const week = { since: now - 7 * dayMs, until: now }
  const month = { since: now - 30 * dayMs, until: now }
  const year = { since: now - days * dayMs, until: now }
  const ledger = new Ledger(database, { flushMs: 3_600_000 })
  let number = 0
  const account = (): { name: string; limit: bigint; until: null } => {
    return { name: `account-${++number}-${now}`, limit: 10n ** 15n, until: null }
  }
  const results = [
    await timed('look up a key', () => keys.find(secret)),
    await timed('reserve an allowance', () => {
      const each = account()
      return ledger.begin({ origin: origin(++number, keyIds, now), accounts: [each.name], reserved: 10n ** 9n }, [each])
    }),
    await timed(`write ${batchSize} requests`, () => {
      for (let index = 0; index < batchSize; index++) ledger.settle(row(++number, keyIds, now), 0n)
      return ledger.flush()
    }),
    await timed('usage of a week by day', () => readUsage(database, { ...week, by: ['day'] })),
    await timed('usage of a month by key and model', () => readUsage(database, { ...month, by: ['key', 'model'] })),
    await timed('usage of a month of one key by day', () =>
      readUsage(database, { ...month, key: keyIds[3]!, by: ['day'] }),
    ),
    await timed('usage of a year by month', () => readUsage(database, { ...year, by: ['month'] }), 3),
    await timed('list the newest 50 requests', () => listRequests(database, { limit: 50 })),
    await timed('list 50 requests of a key', () => listRequests(database, { limit: 50, key: keyIds[7]! })),
    await timed('find a request by its id', () => findRequest(database, `req_${number - 3}_${now}`)),
  ]
  await ledger.close()
  return results
}

/** The least CPU time of several rounds, in milliseconds. SQLite works in this process. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  let least = Infinity
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1000)
  }
  return least
}

/** The median of several rounds, in milliseconds. */
async function timed(
  name: string,
  work: () => Promise<unknown> | undefined,
  times = rounds,
): Promise<{ name: string; ms: number }> {
  const found: number[] = []
  for (let round = 0; round < times; round++) {
    const startedAt = performance.now()
    await work()
    found.push(performance.now() - startedAt)
  }
  return { name, ms: found.toSorted((a, b) => a - b)[Math.floor(times / 2)]! }
}

function origin(number: number, keyIds: readonly string[], now: number): Parameters<typeof refusedRow>[0] {
  return {
    id: `req_${number}_${now}`,
    started_at: now - (number % 1000),
    workspace: 'default',
    key_id: keyIds[number % keyIds.length]!,
    user_id: `user-${number % 1000}`,
    conversation: `conversation-${number % 5000}`,
    source: 'api',
    path: '/v1/messages',
    engine: 'api.anthropic.com',
    model: models[number % models.length]!,
  }
}

function row(number: number, keyIds: readonly string[], now: number): RequestRow {
  const bare = refusedRow(origin(number, keyIds, now), undefined, now)
  return { ...bare, status: 200, input: 1_000, output: 500, cost: '10500000000', ms: 2_000 + (number % 900) }
}

/** Fills the totals with a year of requests, and the last 90 days with single ones. Returns seconds. */
async function fill(db: Database, keyIds: readonly string[]): Promise<number> {
  const startedAt = performance.now()
  const now = Date.now()
  const first = now - (now % hourMs) - days * dayMs
  const firstDay = now - (now % dayMs) - days * dayMs
  const keysSql = keyIds.map((id) => `'${id}'`).join(', ')
  const modelsSql = models.map((id) => `'${id}'`).join(', ')
  const perRow = Math.round(scale.requests / (days * 24 * keyCount * models.length))
  const places = `generate_series(0, ${days * 24 - 1}) AS h, unnest(ARRAY[${keysSql}]) AS k, unnest(ARRAY[${modelsSql}]) AS m`
  await db.rows(
    'fill',
    `INSERT INTO %.usage_hour SELECT ${first} + h * ${hourMs}::bigint, 'default', k, m, 'api', ${perRow}, 1, 0, 0, ${perRow} * 1000, 0, 0,
       ${perRow} * 5000, ${perRow} * 500, ${perRow} * 10500000000::bigint, 0, 0 FROM ${places}`,
  )
  await db.rows(
    'fill',
    `INSERT INTO %.latency_day SELECT ${firstDay} + d * ${dayMs}::bigint, 'default', k, m, 'api', b, ${perRow * 2}
     FROM ${places.replace(`${days * 24 - 1}) AS h`, `${days - 1}) AS d`)}, generate_series(86, 97) AS b`,
  )
  const span = 89 * dayMs
  await new Partitions(db).prepare(Array.from({ length: 90 }, (_, day) => now - day * dayMs))
  const step = Math.floor(span / scale.detailed)
  for (let from = 0; from < scale.detailed; from += 500_000) {
    await db.rows('fill', detailSql(Math.min(500_000, scale.detailed - from), from, { keysSql, modelsSql, now, step }))
  }
  for (const each of ['usage_hour', 'latency_day', 'request']) await db.rows('analyse', `ANALYZE %.${each}`)
  return (performance.now() - startedAt) / 1000
}

function detailSql(
  count: number,
  from: number,
  { keysSql, modelsSql, now, step }: { keysSql: string; modelsSql: string; now: number; step: number },
): string {
  const model = `(ARRAY[${modelsSql}])[1 + n % ${models.length}]`
  return `INSERT INTO %.request SELECT 'req_01' || md5(n::text), ${now - 89 * dayMs} + n * ${step}::bigint, 'default',
    (ARRAY[${keysSql}])[1 + n % ${keyCount}], 'user-' || n % 1000, 'conversation-' || n / 20, 'api', 'api.anthropic.com',
    ${model}, ${model}, 1000, 0, 0, 5000, 500, NULL, 10500000000, 0, '2026-02-17 price list of 2026-02-17', 0, 200, NULL,
    'end_turn', 600, 2000 + n % 900, 4000, 9000, 1 FROM generate_series(${from}, ${from + count - 1}) AS n`
}

async function sizes(db: Database): Promise<string> {
  const found = await db.rows<{ name: string; rows: number; bytes: number; indexes: number }>(
    'measure',
    `SELECT CASE WHEN relname LIKE 'request_2%' THEN 'request' ELSE relname END AS name, sum(reltuples::bigint) AS rows,
       sum(pg_table_size(oid)) AS bytes, sum(pg_indexes_size(oid)) AS indexes
     FROM pg_class WHERE relkind = 'r' AND relnamespace = 'colloquy_server'::regnamespace
       AND (relname LIKE 'request_2%' OR relname IN ('usage_hour', 'latency_day')) GROUP BY 1 ORDER BY 1`,
  )
  return found
    .map(({ name, rows, bytes, indexes }) => {
      return `${name} ${(rows / 1e6).toFixed(2)} M rows of ${Math.round(bytes / rows)} + ${Math.round(indexes / rows)} B (row + indexes)`
    })
    .join('; ')
}

function table(rows: readonly Measured[]): string {
  const lines = rows.map(({ name, empty, full }) => {
    return `${name.padEnd(38)}${empty.toFixed(2).padStart(10)}${full.toFixed(2).padStart(10)}`
  })
  return [`${'milliseconds, median'.padEnd(38)}${'empty'.padStart(10)}${'full'.padStart(10)}`, ...lines].join('\n')
}
