import type { UsageRow } from './usage-data.ts'

/** The lines of the chart of times. */
export const timeNames: string[] = ['first token, p50', 'first token, p95', 'end, p50', 'end, p95']

/** Times that were not measured are left out, and those of a day on which no request succeeded: a refusal takes no time. */
export function times({ first_event: first, latency, requests, failed }: UsageRow): Record<string, number> {
  if (failed === requests) return {}
  const all = [first.p50_ms, first.p95_ms, latency.p50_ms, latency.p95_ms]
  return Object.fromEntries(all.flatMap((ms, index) => (ms === null ? [] : [[timeNames[index], ms]])))
}
