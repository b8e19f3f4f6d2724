import { call } from '../api/http.ts'

/** Milliseconds; null if there are no requests to measure. */
export interface Percentiles {
  p50_ms: number | null
  p95_ms: number | null
}

/** The sums of a group of requests, as `GET /admin/usage` returns them. */
export interface UsageSums {
  usd: string
  saved_usd: string
  estimated: { requests: number; usd: string }
  requests: number
  failed: number
  unpriced: number
  tokens: { input: number; cache_write_5m: number; cache_write_1h: number; cache_read: number; output: number }
  usd_by_type: Record<'input' | 'cache_write_5m' | 'cache_write_1h' | 'cache_read' | 'output' | 'server_tools', string>
  /** Times to the end of the reply, and to its first event. */
  latency: Percentiles
  first_event: Percentiles
}

/** The sums of the requests with these values of the dimensions that were asked for. */
export interface UsageRow extends UsageSums {
  group: Partial<Record<'day' | 'model' | 'key' | 'chat' | 'source', string>>
}

/** The usage of a period in groups. */
export interface UsageReport {
  period: { since: string; until: string }
  total: UsageSums
  rows: UsageRow[]
}

/** A period and filters. Absent filters match all. */
export interface UsageQuery {
  /** RFC 3339. */
  since: string
  until: string
  tz: string
  model?: string | undefined
  key?: string | undefined
}

/** The address of a report. */
function pathOf(query: UsageQuery, by: string): string {
  const search = new URLSearchParams({ by, since: query.since, until: query.until, tz: query.tz })
  for (const name of ['model', 'key'] as const) if (query[name]) search.set(name, query[name])
  return `admin/usage?${search.toString()}`
}

/** Reports that are being read: parts of a page that show the same one share its request. */
const pending = new Map<string, Promise<UsageReport>>()

export function loadUsage(query: UsageQuery, by: string): Promise<UsageReport> {
  const path = pathOf(query, by)
  const report = pending.get(path) ?? call<UsageReport>('GET', path).finally(() => pending.delete(path))
  pending.set(path, report)
  return report
}

/** The usage from now on: a report that is being read may lack the last request. */
export function loadLatestUsage(query: UsageQuery, by: string): Promise<UsageReport> {
  return call('GET', pathOf(query, by))
}

/** The period of the same length before. */
export function before(query: UsageQuery): UsageQuery {
  const length = Date.parse(query.until) - Date.parse(query.since)
  return { ...query, since: new Date(Date.parse(query.since) - length).toISOString(), until: query.since }
}
