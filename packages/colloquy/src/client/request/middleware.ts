import type { APIRequest, Middleware, MiddlewareContext, MiddlewareNext } from './options.ts'
import type { TransportResponse, PendingRequest, Transport, WireRequest } from '../transport/transport.ts'

/** Wraps a transport in middleware, the first outermost. `read` makes a response of a `Response`. */
export function withMiddleware(
  transport: Transport,
  middleware: readonly Middleware[],
  context: MiddlewareContext,
  read: (response: Response, url: string) => TransportResponse,
): Transport {
  return ({ url, method, headers, body }) => {
    let cancelled: Error | undefined
    let pending: PendingRequest | undefined
    let cancel!: (error: Error) => void
    const response = new Promise<TransportResponse>((resolve, reject) => {
      cancel = (error) => {
        cancelled = error
        pending?.cancel(error)
        reject(error)
      }
      const send: MiddlewareNext = async (request) => {
        if (cancelled) throw cancelled
        pending = transport(wireRequest(request))
        return (await pending.response).response()
      }
      const chain = middleware.reduceRight<MiddlewareNext>(
        (next, each) => async (request) => each(request, next, context),
        send,
      )
      chain({ url, method, headers: new Headers(headers), body })
        .then((response) => {
          if (response.bodyUsed || response.body?.locked) {
            throw new TypeError('Cannot read a response whose body a middleware has read: it should read a clone()')
          }
          resolve(read(response, url))
        })
        .catch(reject)
    })
    return { response, cancel }
  }
}

function wireRequest({ url, method, headers, body }: APIRequest): WireRequest {
  return { url, method, headers: Object.fromEntries(headers), body }
}
