import type * as openTelemetryApi from '@opentelemetry/api'
import type { Attributes, Context, Histogram, Span } from '@opentelemetry/api'
import { APIError } from 'colloquy/protocol'
import type { RequestHeaders } from '../access/request-headers.ts'
import type { RequestObserver } from './observer.ts'
import type { AccessEntry } from './request-log.ts'

type Api = typeof openTelemetryApi

/**
 * Traces and measures the requests of a server by OpenTelemetry's conventions for generative AI. Pass it to `createServer()`
 * as one of the `observers`. Without an SDK that the application has registered it does nothing.
 *
 * A request is a span that continues the trace of its client (`traceparent`), and the spans of an upstream's client are its
 * children. No span has a text of a conversation. Throws if the package `@opentelemetry/api` is not installed.
 *
 * @example
 * ```ts
 * import { createServer } from '@colloquy/server'
 * import { openTelemetry } from '@colloquy/server/telemetry'
 * import { offline } from 'colloquy/engines'
 *
 * const server = createServer({ engine: offline(), observers: [await openTelemetry()] })
 * console.log(typeof server.fetch) // function
 * ```
 */
export async function openTelemetry(): Promise<RequestObserver> {
  const api = await import('@opentelemetry/api')
  const tracer = api.trace.getTracer('@colloquy/server')
  const meters = metersOf(api)
  return {
    begin({ method, path, headers }) {
      const parent = api.propagation.extract(api.context.active(), headers, headerGetter)
      const attributes = { 'http.request.method': method, 'url.path': path }
      const span = tracer.startSpan(`${method} ${path}`, { kind: api.SpanKind.SERVER, attributes }, parent)
      const context: Context = api.trace.setSpan(parent, span)
      return {
        run: (work) => api.context.with(context, work),
        end(entry) {
          finish(api, span, entry)
          if (entry.model !== null) measure(meters, entry)
        },
      }
    },
  }
}

const headerGetter = {
  keys: (): string[] => [],
  get: (headers: RequestHeaders, name: string): string | undefined => headers.get(name) ?? undefined,
}

interface Meters {
  duration: Histogram
  firstToken: Histogram
  tokens: Histogram
}

function metersOf({ metrics }: Api): Meters {
  const meter = metrics.getMeter('@colloquy/server')
  const seconds = { unit: 's' }
  return {
    duration: meter.createHistogram('gen_ai.server.request.duration', seconds),
    firstToken: meter.createHistogram('gen_ai.server.time_to_first_token', seconds),
    tokens: meter.createHistogram('gen_ai.client.token.usage', { unit: '{token}' }),
  }
}

function finish({ SpanStatusCode }: Api, span: Span, entry: AccessEntry): void {
  if (span.isRecording()) {
    if (entry.model !== null) span.updateName(`${operationOf(entry)} ${entry.model}`)
    span.setAttributes(attributesOf(entry))
    if (entry.status >= 500 || (entry.error !== undefined && !entry.aborted))
      span.setStatus({ code: SpanStatusCode.ERROR })
  }
  span.end()
}

function measure({ duration, firstToken, tokens }: Meters, entry: AccessEntry): void {
  const common = commonOf(entry)
  const errorType = errorTypeOf(entry)
  duration.record(entry.ms / 1000, errorType === undefined ? common : { ...common, 'error.type': errorType })
  if (entry.ttftMs !== null) firstToken.record(entry.ttftMs / 1000, common)
  if (entry.outputTokens === null) return
  tokens.record(promptTokens(entry), { ...common, 'gen_ai.token.type': 'input' })
  tokens.record(entry.outputTokens, { ...common, 'gen_ai.token.type': 'output' })
}

function commonOf(entry: AccessEntry): Attributes {
  return {
    'gen_ai.operation.name': operationOf(entry),
    'gen_ai.provider.name': 'anthropic',
    'gen_ai.request.model': entry.model!,
    ...(entry.servedModel !== null && { 'gen_ai.response.model': entry.servedModel }),
  }
}

function attributesOf(entry: AccessEntry): Attributes {
  const { status, requestId, outputTokens, cacheReadTokens, cacheWriteTokens, stopReason, attempts } = entry
  const errorType = errorTypeOf(entry)
  return {
    'http.response.status_code': status,
    'colloquy.request.id': requestId,
    ...(entry.model !== null && commonOf(entry)),
    ...(entry.stream && { 'gen_ai.request.stream': true }),
    ...(outputTokens !== null && {
      'gen_ai.usage.input_tokens': promptTokens(entry),
      'gen_ai.usage.output_tokens': outputTokens,
      'gen_ai.usage.cache_read.input_tokens': cacheReadTokens ?? 0,
      'gen_ai.usage.cache_write.input_tokens': cacheWriteTokens ?? 0,
    }),
    ...(stopReason !== null && { 'gen_ai.response.finish_reasons': [stopReason] }),
    ...(attempts.length > 0 && { 'colloquy.engines': attempts.map(({ engine }) => engine) }),
    ...(errorType !== undefined && { 'error.type': errorType }),
  }
}

function operationOf({ path }: AccessEntry): string {
  return path.endsWith('/count_tokens') ? 'count_tokens' : 'chat'
}

/** The whole prompt, as the conventions count it. */
function promptTokens({ inputTokens, cacheReadTokens, cacheWriteTokens }: AccessEntry): number {
  return (inputTokens ?? 0) + (cacheReadTokens ?? 0) + (cacheWriteTokens ?? 0)
}

function errorTypeOf({ error, status, aborted }: AccessEntry): string | undefined {
  if (error === undefined || aborted) return status >= 500 ? String(status) : undefined
  return error instanceof APIError ? (error.type ?? error.name) : 'api_error'
}
