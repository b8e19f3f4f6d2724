import type { FinalRequestOptions } from '../request/options.ts'
import type { RequestParts } from '../request/retrying-request.ts'
import type { TracedClient } from './call-span.ts'
import { registeredApi, type OpenTelemetryOptions } from './open-telemetry.ts'

/** The parts of a request that OpenTelemetry traces. Loads the code for it only when something collects the traces. */
export function traceParts(
  parts: RequestParts,
  options: FinalRequestOptions,
  option: OpenTelemetryOptions | false | null | undefined,
  client: TracedClient,
): RequestParts {
  if (option === false || !(option?.tracerProvider ?? registeredApi()?.trace)) return parts
  const loaded = import('./call-span.ts').then(
    ({ traced }) => traced(parts, options, option, client),
    () => parts,
  )
  return {
    ...parts,
    prepare: async (attempt) => (await loaded).prepare(attempt),
    transport: async () => (await loaded).transport(),
    failed: async (error) => (await loaded).failed?.(error),
  }
}
