import type { Context, RegisteredApi, Span } from './open-telemetry.ts'

/** The key of the span in a context, which every copy of `@opentelemetry/api` 1 uses. */
const spanKey = Symbol.for('OpenTelemetry Context Key SPAN')

/** The context in which the caller runs. */
export function activeContext(api: RegisteredApi): Context {
  return api.context?.active() ?? emptyContext
}

/** A context in which a span is the current one. */
export function withSpan(context: Context, span: Span): Context {
  return context.setValue(spanKey, span)
}

/** Runs the work in a context, if the application registered a way to keep one. */
export function within<Result>(api: RegisteredApi, context: Context, work: () => Result): Result {
  return api.context ? api.context.with(context, work) : work()
}

/** A context where the application registered no way to keep one. */
class OwnContext implements Context {
  readonly #values: ReadonlyMap<symbol, unknown>

  constructor(values: ReadonlyMap<symbol, unknown> = new Map()) {
    this.#values = values
  }

  getValue(key: symbol): unknown {
    return this.#values.get(key)
  }

  setValue(key: symbol, value: unknown): Context {
    return new OwnContext(new Map(this.#values).set(key, value))
  }

  deleteValue(key: symbol): Context {
    const values = new Map(this.#values)
    values.delete(key)
    return new OwnContext(values)
  }
}

const emptyContext: Context = new OwnContext()
