import { decimalUsd, fromUsd } from 'colloquy/protocol'
import type { RequestRow } from '../request-row.ts'
import type { Percentiles, Usage, UsageQuery, UsageRow } from './usage.ts'

/**
 * Usage as the admin API and `colloquy usage --json` write it. @param keyNames the names of keys by id.
 *
 * @example
 * ```ts
 * import { readUsage, usageObject } from '@colloquy/server/access'
 * import { openServerStore } from '@colloquy/server/store'
 *
 * const { database, close } = await openServerStore(':memory:')
 * const query = { by: ['model'] as const, since: Date.now() - 86_400_000, until: Date.now() }
 * console.log(JSON.stringify(usageObject(await readUsage(database, query), query, new Map())).includes('"total"')) // true
 * await close()
 * ```
 */
export function usageObject({ rows, total }: Usage, query: UsageQuery, keyNames: ReadonlyMap<string, string>): object {
  return {
    type: 'usage',
    period: { since: new Date(query.since).toISOString(), until: new Date(query.until).toISOString() },
    tz: query.tz ?? 'UTC',
    by: query.by,
    total: sumsObject(total),
    rows: rows.map((row) => {
      const { key, ...group } = row.group
      const named = key === undefined ? group : { ...group, key: keyNames.get(key) ?? key, key_id: key }
      return { group: named, ...sumsObject(row) }
    }),
  }
}

function sumsObject(row: UsageRow): object {
  return {
    usd: decimalUsd(row.cost),
    saved_usd: decimalUsd(row.saved),
    estimated: { requests: row.estimated, usd: decimalUsd(row.estimated_cost) },
    requests: row.requests,
    failed: row.failed,
    unpriced: row.unpriced,
    tokens: {
      input: row.input,
      cache_write_5m: row.cache_write_5m,
      cache_write_1h: row.cache_write_1h,
      cache_read: row.cache_read,
      output: row.output,
    },
    usd_by_type: {
      input: decimalUsd(row.input_cost),
      cache_write_5m: decimalUsd(row.cache_write_5m_cost),
      cache_write_1h: decimalUsd(row.cache_write_1h_cost),
      cache_read: decimalUsd(row.cache_read_cost),
      output: decimalUsd(row.output_cost),
      server_tools: decimalUsd(row.server_tools_cost),
    },
    latency: percentilesObject(row.latency),
    first_event: percentilesObject(row.firstEvent),
  }
}

function percentilesObject({ p50, p95, p99 }: Percentiles): object {
  return { p50_ms: p50, p95_ms: p95, p99_ms: p99 }
}

/** The inverse of `usageObject()`, with the names of keys by id. For the response of another server. */
export function usageFrom(object: object): { usage: Usage; keyNames: Map<string, string> } {
  const { total, rows } = object as { total: WrittenSums; rows: (WrittenSums & { group: WrittenGroup })[] }
  const keyNames = new Map<string, string>()
  for (const { group } of rows) if (group.key !== undefined) keyNames.set(group.key_id ?? group.key, group.key)
  return {
    usage: {
      total: rowFrom({}, total),
      rows: rows.map(({ group: { key_id: id, ...group }, ...sums }) => {
        return rowFrom(group.key === undefined ? group : { ...group, key: id ?? group.key }, sums)
      }),
    },
    keyNames,
  }
}

type WrittenGroup = UsageRow['group'] & { key_id?: string }
type WrittenPercentiles = Record<'p50_ms' | 'p95_ms' | 'p99_ms', number | null>

/** The object that `sumsObject()` makes. */
interface WrittenSums {
  usd: string
  saved_usd: string
  estimated: { requests: number; usd: string }
  requests: number
  failed: number
  unpriced: number
  tokens: Pick<UsageRow, 'input' | 'cache_write_5m' | 'cache_write_1h' | 'cache_read' | 'output'>
  usd_by_type: Record<'input' | 'cache_write_5m' | 'cache_write_1h' | 'cache_read' | 'output' | 'server_tools', string>
  latency: WrittenPercentiles
  first_event: WrittenPercentiles
}

function rowFrom(group: UsageRow['group'], sums: WrittenSums): UsageRow {
  const { estimated, usd_by_type: byType } = sums
  return {
    group,
    requests: sums.requests,
    failed: sums.failed,
    estimated: estimated.requests,
    estimated_cost: fromUsd(estimated.usd),
    unpriced: sums.unpriced,
    ...sums.tokens,
    cost: fromUsd(sums.usd),
    saved: amountFrom(sums.saved_usd),
    input_cost: fromUsd(byType.input),
    cache_write_5m_cost: fromUsd(byType.cache_write_5m),
    cache_write_1h_cost: fromUsd(byType.cache_write_1h),
    cache_read_cost: fromUsd(byType.cache_read),
    output_cost: fromUsd(byType.output),
    server_tools_cost: fromUsd(byType.server_tools),
    latency: percentilesFrom(sums.latency),
    firstEvent: percentilesFrom(sums.first_event),
  }
}

/** Savings are negative if cache writes were not read. */
function amountFrom(usd: string): bigint {
  return usd.startsWith('-') ? -fromUsd(usd.slice(1)) : fromUsd(usd)
}

function percentilesFrom({ p50_ms, p95_ms, p99_ms }: WrittenPercentiles): Percentiles {
  return { p50: p50_ms, p95: p95_ms, p99: p99_ms }
}

/** A request as the admin API and `colloquy usage request` write it. */
export function requestObject(row: RequestRow, keyNames: ReadonlyMap<string, string>): object {
  return {
    type: 'request',
    id: row.id,
    started_at: new Date(row.started_at).toISOString(),
    workspace: row.workspace,
    key_id: row.key_id || null,
    key: row.key_id === '' ? null : (keyNames.get(row.key_id) ?? row.key_id),
    user_id: row.user_id || null,
    conversation: row.conversation || null,
    source: row.source,
    path: row.path,
    engine: row.engine || null,
    model: row.model || null,
    served_model: row.served_model || null,
    tokens: {
      input: row.input,
      cache_write_5m: row.cache_write_5m,
      cache_write_1h: row.cache_write_1h,
      cache_read: row.cache_read,
      output: row.output,
    },
    usd: row.cost === null ? null : decimalUsd(BigInt(row.cost)),
    saved_usd: decimalUsd(BigInt(row.saved)),
    price: row.price,
    estimated: row.estimated === 1,
    status: row.status,
    error_type: row.error_type,
    stop_reason: row.stop_reason,
    ttft_ms: row.ttft_ms,
    ms: row.ms,
    request_bytes: row.request_bytes,
    response_bytes: row.response_bytes,
    attempts: row.attempts,
  }
}
