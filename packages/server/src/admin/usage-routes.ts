import { apiError, cutText, decimalUsd } from 'colloquy/protocol'
import type { Hono } from 'hono'
import { KeyError } from '../access/keys/key-error.ts'
import type { Keys } from '../access/keys/keys.ts'
import { reprice } from '../ledger/reports/reprice.ts'
import { cursorOf, findRequest, listRequests, type RequestsQuery } from '../ledger/reports/requests.ts'
import { requestObject, usageObject } from '../ledger/reports/wire.ts'
import { type Grouping, groupings, readUsage, type UsageQuery } from '../ledger/reports/usage.ts'
import type { Database } from '../state/database.ts'
import { badRequest, checkNames, choice, numberIn, timeIn } from '../messages/request/query.ts'

/** The parts that the routes of the ledger use. */
export interface UsageRoutesOptions {
  keys: Keys
  database: Database
  now: () => number
  /** Writes what has been settled, so that it is found. */
  flush: () => Promise<void>
}

type Query = Readonly<Record<string, string>>

const dayMs = 86_400_000
export const outcomes = ['ok', 'failed', 'aborted'] as const
export const sources = ['api', 'chat', 'batch'] as const
const filterNames = ['since', 'until', 'workspace', 'key', 'model', 'source'] as const
/** The parameters of `GET /admin/usage`. */
export type UsageParameter = 'by' | 'tz' | 'reprice' | (typeof filterNames)[number]
const usageNames: readonly UsageParameter[] = ['by', 'tz', 'reprice', ...filterNames]
/** The parameters of `GET /admin/requests`. */
export type RequestsParameter = 'limit' | 'before' | 'outcome' | 'user' | 'conversation' | (typeof filterNames)[number]
const requestsNames: readonly RequestsParameter[] = [
  'limit',
  'before',
  'outcome',
  'user',
  'conversation',
  ...filterNames,
]

/** Adds the routes `/admin/usage` and `/admin/requests`. */
export function addUsageRoutes(app: Hono, { keys, database, now, flush }: UsageRoutesOptions): void {
  app.get('/admin/usage', async (c) => {
    const query = await usageQuery(c.req.query(), keys, now())
    await flush()
    const found = await readUsage(database, query)
    const names = await keys.names(found.rows.map(({ group }) => group.key ?? ''))
    const usage = usageObject(found, query, names)
    if (c.req.query('reprice') === undefined) return c.json(usage)
    const { requests, before, after, newlyPriced } = await reprice(database, query)
    const repriced = { requests, usd: decimalUsd(before), repriced_usd: decimalUsd(after), newly_priced: newlyPriced }
    return c.json({ ...usage, repriced })
  })
  app.get('/admin/requests', async (c) => {
    const query = await requestsQuery(c.req.query(), keys)
    await flush()
    const limit = query.limit ?? 20
    const found = await listRequests(database, { ...query, limit: limit + 1 })
    const page = found.slice(0, limit)
    const names = await keys.names(page.map((row) => row.key_id))
    const hasMore = found.length > limit
    return c.json({
      data: page.map((row) => requestObject(row, names)),
      has_more: hasMore,
      next: hasMore ? cursorOf(page.at(-1)!) : null,
    })
  })
  app.get('/admin/requests/:id', async (c) => {
    await flush()
    const id = c.req.param('id')
    const row = await findRequest(database, id)
    if (row === undefined) throw apiError('not_found_error', `There is no request ${cutText(id, 100)}`)
    return c.json(requestObject(row, await keys.names([row.key_id])))
  })
}

async function usageQuery(query: Query, keys: Keys, now: number): Promise<UsageQuery> {
  checkNames(query, usageNames)
  const { by = 'day', tz = 'UTC' } = query
  const groups = by.split(',').map((each) => choice('by', each, groupings)) as Grouping[]
  if (groups.length > 2) throw badRequest('by: must be at most two of the groupings')
  checkZone(tz)
  const until = timeIn('until', query['until']) ?? now + 1
  const since = timeIn('since', query['since']) ?? until - 30 * dayMs
  if (since >= until) throw badRequest('since: must be before until')
  return { by: groups, tz, since, until, ...(await filters(query, keys)) }
}

async function requestsQuery(query: Query, keys: Keys): Promise<RequestsQuery> {
  checkNames(query, requestsNames)
  const { before, user, conversation } = query
  const [since, until] = [timeIn('since', query['since']), timeIn('until', query['until'])]
  const limit = numberIn('limit', query['limit'], [1, 1_000])
  const outcome = choice('outcome', query['outcome'], outcomes)
  if (before !== undefined && !/^\d{1,15}_\w{1,100}$/.test(before)) throw badRequest('before: is not a cursor')
  return {
    ...(await filters(query, keys)),
    ...(limit !== undefined && { limit }),
    ...(before !== undefined && { before }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(user !== undefined && { user }),
    ...(conversation !== undefined && { conversation }),
    ...(outcome !== undefined && { outcome }),
  }
}

async function filters(
  query: Query,
  keys: Keys,
): Promise<Pick<RequestsQuery, 'workspace' | 'key' | 'model' | 'source'>> {
  const { workspace, key, model } = query
  const source = choice('source', query['source'], sources)
  return {
    ...(workspace !== undefined && { workspace }),
    ...(model !== undefined && { model }),
    ...(source !== undefined && { source }),
    ...(key !== undefined && { key: await idOf(key, keys) }),
  }
}

/** The id of a key. One that was removed is still found by its id. */
async function idOf(key: string, keys: Keys): Promise<string> {
  try {
    return (await keys.get(key)).id
  } catch (error) {
    if (error instanceof KeyError) return key
    throw error
  }
}

function checkZone(tz: string): void {
  try {
    Intl.DateTimeFormat('en', { timeZone: tz })
  } catch {
    throw badRequest(`tz: ${JSON.stringify(tz.slice(0, 100))} is not a time zone such as Europe/Paris`)
  }
}
