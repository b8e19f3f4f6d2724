import type { FinalRequestOptions } from '../request/options.ts'
import type { RequestParts } from '../request/retrying-request.ts'
import type { TracedClient } from './call-span.ts'
import { registeredApi, type OpenTelemetryOptions } from './open-telemetry.ts'

/** The parts of a request that OpenTelemetry traces. Loads the code for it only when something collects the traces. */
export function traceParts(
  parts: RequestParts,
  options: FinalRequestOptions,
  client: Omit<TracedClient, 'option'> & { option: OpenTelemetryOptions | false | null | undefined },
): RequestParts {
  const { option } = client
  if (option === false || !(option?.tracerProvider ?? registeredApi()?.trace)) return parts
  const loaded = import('./call-span.ts').then(({ traced }) => traced(parts, options, { ...client, option }))
  return {
    ...parts,
    prepare: async (attempt) => (await loaded).prepare(attempt),
    transport: async () => (await loaded).transport(),
    failed: (error) => void loaded.then(({ failed }) => failed?.(error)),
  }
}
