import { FetchReply } from '../transport/fetch-transport.ts'
import type { APIRequest, Middleware, MiddlewareContext, MiddlewareNext } from './options.ts'
import type { Reply, Sending, Transport, WireRequest } from '../transport/transport.ts'

/** The transport with the middleware around each request, the first outermost. */
export function withMiddleware(
  transport: Transport,
  middleware: readonly Middleware[],
  context: MiddlewareContext,
): Transport {
  return ({ url, method, headers, body }) => {
    let cancelled: Error | undefined
    let under: Sending | undefined
    let cancel!: (error: Error) => void
    const reply = new Promise<Reply>((resolve, reject) => {
      cancel = (error) => {
        cancelled = error
        under?.cancel(error)
        reject(error)
      }
      const send: MiddlewareNext = async (request) => {
        if (cancelled) throw cancelled
        under = transport(wireRequest(request))
        return (await under.reply).response()
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
          resolve(new FetchReply(response, url))
        })
        .catch(reject)
    })
    return { reply, cancel }
  }
}

function wireRequest({ url, method, headers, body }: APIRequest): WireRequest {
  return { url, method, headers: Object.fromEntries(headers), body }
}
