import type { FinalRequestOptions } from '../request/options.ts'
import { withLazyParts, type RequestParts } from '../request/retrying-request.ts'
import type { TracedClient } from './call-span.ts'
import type { OpenTelemetryOptions, RegisteredApi } from './open-telemetry.ts'

/** The parts of a request that OpenTelemetry traces. Loads the code for it only when something collects the traces. */
export function traceParts(
  parts: RequestParts,
  options: FinalRequestOptions,
  client: Omit<TracedClient, 'api'>,
): RequestParts {
  const api = tracingApi(client.openTelemetry)
  if (!api) return parts
  const loaded = import('./call-span.ts').then(
    ({ traced }) => traced(parts, options, { ...client, api }),
    () => parts,
  )
  return withLazyParts(parts, loaded)
}

// Found with the first request, because to find it takes as long as to make the headers of one.
let registry: symbol | undefined

/** The parts of `@opentelemetry/api` that the application registered; undefined if nothing collects spans. */
export function tracingApi(option: OpenTelemetryOptions | false | null | undefined): RegisteredApi | undefined {
  // The package itself is not loaded.
  const api =
    (globalThis as Record<symbol, RegisteredApi | undefined>)[(registry ??= Symbol.for('opentelemetry.js.api.1'))] ?? {}
  return option !== false && (option?.tracerProvider ?? api.trace) ? api : undefined
}
