import { APIError } from 'colloquy/protocol'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { totalTokens } from './total-tokens.ts'
import type { Metrics } from './observer.ts'
import type { AccessEntry } from './request-log.ts'

export type { Metrics } from './observer.ts'

/** Options of `prometheusMetrics()`. */
export interface MetricsOptions {
  /** The registry to add the metrics to. Default: one of its own. */
  registry?: Registry
  /** Whether to add the metrics of the process: memory, CPU time, delay of the event loop. Default true. */
  processMetrics?: boolean
}

/** Models that have series of their own: requests may name any model, and a series is never forgotten. */
const maxModels = 100

const paths = ['/v1/messages', '/v1/messages/count_tokens', '/v1/models', '/healthz', '/readyz', '/metrics']
const durations = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]

/**
 * Counts the requests of a server for Prometheus, by `prom-client`. Pass it to `createServer()` as `metrics`.
 *
 * @example
 * ```ts
 * import { createServer } from '@colloquy/server'
 * import { prometheusMetrics } from '@colloquy/server/metrics'
 * import { offline } from 'colloquy/engines'
 *
 * const { fetch } = createServer({ engine: offline(), metrics: prometheusMetrics({ processMetrics: false }) })
 * console.log((await fetch(new Request('http://localhost/metrics'))).status) // 200
 * ```
 */
export function prometheusMetrics(options: MetricsOptions = {}): Metrics {
  const { registry: given, processMetrics = true } = options
  const collected = given ?? new Registry()
  if (processMetrics) collectDefaultMetrics({ register: collected })
  const series = seriesIn(collected)
  const models = new Set<string>()
  const modelLabel = (model: string | null): string => {
    if (model === null) return ''
    if (models.size < maxModels) models.add(model)
    return models.has(model) ? model : 'other'
  }
  return {
    contentType: collected.contentType,
    text: () => collected.metrics(),
    begin() {
      series.inFlight.inc()
      return {
        end(entry) {
          series.inFlight.dec()
          record(series, entry, modelLabel(entry.servedModel ?? entry.model))
        },
      }
    },
  }
}

type Series = ReturnType<typeof seriesIn>

// The types of `prom-client` follow from the labels, so they are left to inference.
function seriesIn(registry: Registry) {
  const registers = [registry]
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> =>
    new Counter({ name, help, labelNames, registers })
  const histogram = <Label extends string>(name: string, help: string, labelNames: Label[]): Histogram<Label> =>
    new Histogram({ name, help, labelNames, registers, buckets: durations })
  return {
    inFlight: new Gauge({
      name: 'colloquy_requests_in_flight',
      help: 'Requests whose response has not ended',
      registers,
    }),
    requests: counter('colloquy_requests_total', 'Requests', ['path', 'status', 'model', 'stream']),
    aborted: counter('colloquy_requests_aborted_total', 'Requests whose client left before the end', ['path']),
    duration: histogram('colloquy_request_duration_seconds', 'Time to the end of the response', ['path', 'stream']),
    firstEvent: histogram('colloquy_first_event_seconds', 'Time to the first token of a reply', ['model']),
    tokens: counter('colloquy_tokens_total', 'Tokens of replies', ['model', 'kind']),
    cost: counter('colloquy_cost_usd_total', 'Cost of replies by list prices, in US dollars', ['model']),
    bytes: counter('colloquy_bytes_total', 'Bytes of bodies', ['direction']),
    attempts: counter('colloquy_engine_attempts_total', 'Engines that were tried by routes', ['engine', 'outcome']),
  }
}

function record(series: Series, entry: AccessEntry, model: string): void {
  const path = paths.includes(entry.path) ? entry.path : 'other'
  const stream = String(entry.stream)
  series.requests.inc({ path, status: String(entry.status), model, stream })
  if (entry.aborted) series.aborted.inc({ path })
  series.duration.observe({ path, stream }, entry.ms / 1000)
  if (entry.ttftMs !== null) series.firstEvent.observe({ model }, entry.ttftMs / 1000)
  series.bytes.inc({ direction: 'in' }, entry.requestBytes)
  series.bytes.inc({ direction: 'out' }, entry.responseBytes)
  for (const { engine, error } of entry.attempts) series.attempts.inc({ engine, outcome: outcomeOf(error) })
  recordTokens(series, entry, model)
}

function recordTokens(series: Series, entry: AccessEntry, model: string): void {
  if (entry.usage === null) return
  const { input, cacheRead, cacheWrite5m, cacheWrite1h, output } = totalTokens(entry.usage)
  const kinds = { input, cache_read: cacheRead, cache_write: cacheWrite5m + cacheWrite1h, output }
  for (const [kind, count] of Object.entries(kinds)) if (count > 0) series.tokens.inc({ model, kind }, count)
  if (entry.usd !== null) series.cost.inc({ model }, Number(entry.usd))
}

function outcomeOf(error: unknown): string {
  if (error === undefined) return 'replied'
  return (error instanceof APIError ? error.type : null) ?? (error instanceof Error ? error.name : 'error')
}
