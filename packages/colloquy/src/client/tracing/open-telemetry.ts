/** The traces of a client's requests, which OpenTelemetry collects. */
export interface OpenTelemetryOptions {
  /** Makes the spans. Default: the provider that the application registered with `@opentelemetry/api`. */
  tracerProvider?: TracerProvider | undefined
  /** Whether requests carry the trace context, as `traceparent`, to the API. Default true. */
  propagation?: boolean | undefined
  /** `true` and `false` stand for `{ enabled: true }` and `{ enabled: false }`. */
  traces?: boolean | OpenTelemetryTracesOptions | undefined
}

/** Options for the spans of a client. */
export interface OpenTelemetryTracesOptions {
  /** Default true. */
  enabled?: boolean | undefined
  /** Whether spans carry the text of requests and replies. Default `metadata_only`. */
  contentMode?: 'metadata_only' | 'content' | undefined
  /** The most text of one span, in UTF-8 bytes. A span with more loses its first parts. Default 750,000. */
  maxContentBytes?: number | undefined
}

/** A `TracerProvider` of `@opentelemetry/api`. */
export interface TracerProvider {
  /** Returns the tracer with this name. */
  getTracer(name: string, version?: string): Tracer
}

/** A `Tracer` of `@opentelemetry/api`. */
export interface Tracer {
  /** Starts a span. */
  // oxlint-disable-next-line typescript/no-explicit-any -- the types of @opentelemetry/api, which need not be installed
  startSpan(name: string, options?: any, context?: any): Span
}

/** The part of a span that a client uses. */
export interface Span {
  setAttribute(name: string, value: Attribute): unknown
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  setStatus(status: any): unknown
  spanContext(): { traceId: string; spanId: string; traceFlags: number }
  isRecording(): boolean
  end(): void
}

/** A value that a span carries. */
export type Attribute = string | number | boolean | string[]

/** A context of `@opentelemetry/api`. */
export interface Context {
  getValue(key: symbol): unknown
  setValue(key: symbol, value: unknown): Context
  deleteValue(key: symbol): Context
}

/** The object that `@opentelemetry/api` 1 registers, for every copy of the package to find. */
export interface RegisteredApi {
  trace?: TracerProvider
  context?: { active(): Context; with<Result>(context: Context, work: () => Result): Result }
  propagation?: {
    inject(context: Context, carrier: Record<string, string>, setter: CarrierSetter): void
  }
}

interface CarrierSetter {
  set(carrier: Record<string, string>, name: string, value: string): void
}
