import { FetchReply } from '../transport/fetch-transport.ts'
import type { Logger } from './log.ts'
import type { FinalRequestOptions } from '../options.ts'
import type { Reply, Sending, Transport, WireRequest } from '../transport/transport.ts'

/** A try of a request, as a middleware sees and may change it. */
export interface APIRequest {
  url: string
  method: string
  headers: Headers
  body?: string | Uint8Array | readonly Uint8Array[] | undefined
}

export type MiddlewareNext = (request: APIRequest) => Promise<Response>

export interface MiddlewareContext {
  /** What the call was made with. */
  readonly options: FinalRequestOptions
  readonly logger: Logger
}

/**
 * Wraps one try of a request. It may change the request, answer by itself, ask `next` again, and replace the response; to look
 * into a body it reads a `clone()`. What it throws goes to the caller as it is, unless it is an `APIError` that is retried; a
 * `RetryableError` always is.
 */
export type Middleware = (request: APIRequest, next: MiddlewareNext, context: MiddlewareContext) => Promise<Response>

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
