import { decimalUsd } from 'colloquy/protocol'
import type { RequestRow } from '../request-row.ts'
import type { Usage, UsageQuery, UsageRow } from './usage.ts'

/** Usage as the admin API and `colloquy usage --json` write it. @param keyNames the names of keys by id. */
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
    latency: { p50_ms: row.p50_ms, p95_ms: row.p95_ms },
  }
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
    engine: row.engine || null,
    model: row.model,
    served_model: row.served_model,
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
