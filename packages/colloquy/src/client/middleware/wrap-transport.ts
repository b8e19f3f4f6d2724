import type { FinalRequestOptions } from '../request/options.ts'
import type { Transport } from '../transport/transport.ts'
import type { MiddlewareClient } from './with-middleware.ts'

/** Wraps a transport in the middleware of a client and of a request. Loads the code for it, which few programs use. */
export async function wrapTransport(
  transport: Transport,
  request: FinalRequestOptions | undefined,
  client: MiddlewareClient,
): Promise<Transport> {
  return (await import('./with-middleware.ts')).withMiddleware(transport, request, client)
}
