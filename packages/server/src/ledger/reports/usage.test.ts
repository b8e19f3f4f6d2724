import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { migrations } from '../../state/migrations.ts'
import { SqliteDatabase } from '../../state/sqlite-database.ts'
import { Partitions } from '../partitions.ts'
import { type PricedRow, refusedRow } from '../request-row.ts'
import { hourMs } from '../totals.ts'
import { writeRequests } from '../write-batch.ts'
import { type Grouping, readUsage, type UsageQuery, type UsageRow } from './usage.ts'

const start = Date.UTC(2026, 10, 26)
const names = fc.constantFrom('', 'a', 'b')
const request = fc.record({
  started_at: fc.integer({ min: 0, max: 6 * hourMs }).map((ms) => start + ms),
  key_id: names,
  user_id: names,
  conversation: names,
  served_model: fc.constantFrom('small', 'large'),
  output: fc.nat(1_000),
  cost: fc.option(fc.bigInt(0n, 10n ** 17n).map(String)),
  estimated: fc.constantFrom(0 as const, 1 as const),
  error_type: fc.constantFrom(null, 'aborted', 'api_error'),
})
type Drawn = Pick<
  PricedRow,
  'started_at' | 'key_id' | 'user_id' | 'conversation' | 'served_model' | 'output' | 'cost' | 'estimated' | 'error_type'
>
const columnOf = { chat: 'conversation', user: 'user_id', model: 'served_model', key: 'key_id' } as const
type Field = keyof typeof columnOf
const fields = fc.constantFrom<Field[]>(['chat'], ['chat', 'model'], ['key', 'chat'], ['user'], ['chat', 'user'])

test('readUsage() by chat or user equals the sums of the requests of the hours', async () => {
  const period = fc.record({ from: fc.nat(6 * hourMs), length: fc.integer({ min: 1, max: 6 * hourMs }) })
  const filter = fc.record({ key: names, model: fc.constantFrom('small', 'large') }, { requiredKeys: [] })
  await fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 40 }), fields, period, filter, async (drawn, by, time, filters) => {
      const query = { by, since: start + time.from, until: start + time.from + time.length, ...filters }
      await withLedger(drawn, async (database) => {
        const { rows, total } = await readUsage(database, query)
        assert.deepEqual(summed(rows, by), expected(drawn, query))
        assert.deepEqual(figures(total), figures((await readUsage(database, { ...query, by: ['model'] })).total))
      })
    }),
    { numRuns: 60 },
  )
})

const blank = { user_id: '', conversation: '', served_model: 'm', output: 1, cost: '5', estimated: 0, error_type: null }

test('readUsage() by chat counts requests that are no longer kept with those of no chat', async () => {
  const drawn = [0, 2].map(
    (hour) => ({ ...blank, key_id: '', started_at: start + hour * hourMs, conversation: 'a' }) as Drawn,
  )
  await withLedger(drawn, async (database) => {
    const query: UsageQuery = { by: ['chat'], since: start, until: start + 3 * hourMs }
    const costs = async (): Promise<unknown> =>
      (await readUsage(database, query)).rows.map(({ group, cost }) => [group.chat, cost])
    assert.deepEqual(await costs(), [['a', 10n]])
    await new Partitions(database).eraseBefore(start + hourMs)
    assert.deepEqual(await costs(), [
      ['a', 5n],
      ['', 5n],
    ])
  })
})

async function withLedger(drawn: readonly Drawn[], work: (database: SqliteDatabase) => Promise<void>): Promise<void> {
  const database = new SqliteDatabase(':memory:', { migrations })
  await database.transaction('write', () => writeRequests('sqlite', drawn.map(rowOf)))
  await work(database)
  await database.close()
}

function rowOf(drawn: Drawn, index: number): PricedRow {
  const { started_at, key_id, user_id, conversation, served_model: model } = drawn
  const origin = { id: `req_${index}`, started_at, key_id, user_id, conversation, model }
  const place = { workspace: 'default', source: 'api', path: '/v1/messages', engine: '' } as const
  return { ...refusedRow({ ...origin, ...place }, undefined, started_at), ...drawn }
}

type Figures = Pick<UsageRow, 'requests' | 'failed' | 'unpriced' | 'estimated' | 'output' | 'cost' | 'estimated_cost'>

function figures({ requests, failed, unpriced, estimated, output, cost, estimated_cost }: Figures): Figures {
  return { requests, failed, unpriced, estimated, output, cost, estimated_cost }
}

function summed(rows: readonly UsageRow[], by: readonly Grouping[]): Map<string, Figures> {
  const entries = rows.map((row) => [by.map((each) => row.group[each]).join(' '), figures(row)] as const)
  return new Map(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** The sums, counted one request at a time. */
function expected(
  drawn: readonly Drawn[],
  query: Omit<UsageQuery, 'by'> & { by: readonly Field[] },
): Map<string, Figures> {
  const hourOf = (at: number): number => at - (at % hourMs)
  const matching = drawn.filter(
    ({ started_at, key_id, served_model }) =>
      hourOf(started_at) >= hourOf(query.since) &&
      hourOf(started_at) < query.until &&
      (query.key ?? key_id) === key_id &&
      (query.model ?? served_model) === served_model,
  )
  const groups = Map.groupBy(matching, (row) => query.by.map((each) => row[columnOf[each]]).join(' '))
  const entries = [...groups].map(([name, rows]) => [name, sumOf(rows)] as const)
  return new Map(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function sumOf(rows: readonly Drawn[]): Figures {
  const count = (is: (row: Drawn) => boolean): number => rows.filter(is).length
  const costOf = (some: readonly Drawn[]): bigint => some.reduce((sum, { cost }) => sum + BigInt(cost ?? 0), 0n)
  return {
    requests: rows.length,
    failed: count(({ error_type }) => error_type === 'api_error'),
    unpriced: count(({ cost }) => cost === null),
    estimated: count(({ estimated }) => estimated === 1),
    output: rows.reduce((sum, { output }) => sum + output, 0),
    cost: costOf(rows),
    estimated_cost: costOf(rows.filter(({ estimated }) => estimated === 1)),
  }
}

test('days and months in a time zone have the sums of their hours', async () => {
  const zones = ['UTC', 'Europe/Paris', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Apia']
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ at: fc.integer({ min: 0, max: 400 * 24 - 1 }), key: fc.constantFrom('a', 'b') }), {
        maxLength: 60,
      }),
      fc.constantFrom(...zones),
      fc.constantFrom('day', 'month'),
      async (drawn, tz, by) => {
        const first = Date.UTC(2011, 10, 1, 5)
        const rows = drawn.map(({ at, key }) => ({ ...blank, started_at: first + at * hourMs, key_id: key }) as Drawn)
        await withLedger(rows, async (database) => {
          const query = { since: first, until: first + 400 * 24 * hourMs, tz }
          const found = await readUsage(database, { ...query, by: [by, 'key'] })
          const hours = await readUsage(database, { ...query, by: ['hour', 'key'] })
          const length = by === 'day' ? 10 : 7
          const sums = new Map<string, number>()
          for (const { group, requests } of hours.rows) {
            const name = `${group.hour!.slice(0, length)} ${group.key}`
            sums.set(name, (sums.get(name) ?? 0) + requests)
          }
          const counted = found.rows.map(({ group, requests }) => [`${group[by]} ${group.key}`, requests] as const)
          assert.deepEqual(new Map(counted), sums)
          assert.equal(found.total.requests, drawn.length)
        })
      },
    ),
    { numRuns: 60 },
  )
})
