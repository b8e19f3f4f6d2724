import type { Log } from '../request/log.ts'
import type { FinalRequestOptions, Middleware } from '../request/options.ts'
import { FetchResponse } from '../transport/fetch-response.ts'
import type { Transport } from '../transport/transport.ts'

/** Wraps a transport in the middleware of a client and of a request. Loads the code for it, which few programs use. */
export async function wrapTransport(
  transport: Transport,
  request: FinalRequestOptions | undefined,
  client: { middleware: readonly Middleware[]; log: Log; timeoutMs: number },
): Promise<Transport> {
  const { withMiddleware } = await import('./with-middleware.ts')
  const { middleware = [], fetchOptions: _, ...options } = request ?? {}
  return withMiddleware(transport, {
    ...client,
    middleware: [...client.middleware, ...middleware],
    options: request && (options as FinalRequestOptions),
    read: (response, url) => new FetchResponse(response, url),
    parse: async (response) => (await import('./parse-response.ts')).parseResponse(response, options),
  })
}
