// Loaded with the first request that has middleware.
import { AnthropicError, APIConnectionTimeoutError, APIUserAbortError } from '../../protocol/types/error.ts'
import { startTimer } from '../../tools/timer.ts'
import { FetchResponse } from '../transport/fetch-response.ts'
import type { PendingRequest, Transport, TransportResponse, WireRequest } from '../transport/transport.ts'
import type { Log, Logger } from '../request/log.ts'
import type {
  APIRequest,
  FinalRequestOptions,
  Middleware,
  MiddlewareContext,
  MiddlewareNext,
} from '../request/options.ts'

/** The part of the client that middleware uses. */
export interface MiddlewareClient {
  /** The first is the outermost. */
  middleware: readonly Middleware[]
  log: Log
  /** The time for the transport, in milliseconds; the middleware's own time is not limited. 0 means no limit. */
  timeoutMs: number
}

/** Wraps a transport in the middleware of a client and of a request. `request` is undefined for that of an access token. */
export function withMiddleware(
  transport: Transport,
  request: FinalRequestOptions | undefined,
  { middleware: outer, log, timeoutMs }: MiddlewareClient,
): Transport {
  const { middleware: inner, fetchOptions: _, ...rest } = request ?? {}
  const middleware = [...outer, ...(inner ?? [])]
  const options = request && (rest as FinalRequestOptions)
  const parse = async (response: Response): Promise<unknown> =>
    (await import('./parse-response.ts')).parseResponse(response, rest)
  const context = { options, logger: loggerOf(log), parse: parseOnce(parse) }
  return ({ url, method, headers, body }) => {
    const current = new CurrentRequest(transport, timeoutMs)
    const chain = middleware.reduceRight<MiddlewareNext>(
      (next, each) => async (request) => each(request, next, context),
      (request) => current.send(request),
    )
    const run = async (): Promise<TransportResponse> => {
      try {
        return new FetchResponse(checked(await chain({ url, method, headers: new Headers(headers), body })), url)
      } catch (error) {
        throw error instanceof Error ? error : new Error(String(error), { cause: error })
      }
    }
    return {
      response: Promise.race([run(), current.cancelled]),
      cancel: (error) => current.cancel(error),
      beganAt: () => current.beganAt,
    }
  }
}

/** The request that the middleware has sent last, with its own time limit. */
class CurrentRequest {
  /** Rejects when the request is cancelled. */
  readonly cancelled: Promise<never>
  /** When the last request was sent, in `performance.now()` time. */
  beganAt: number = performance.now()
  readonly #transport: Transport
  readonly #timeoutMs: number
  #reject!: (error: Error) => void
  #error: Error | undefined
  #pending: PendingRequest | undefined

  constructor(transport: Transport, timeoutMs: number) {
    this.#transport = transport
    this.#timeoutMs = timeoutMs
    this.cancelled = new Promise((_, reject) => (this.#reject = reject))
    this.cancelled.catch(() => {})
  }

  async send(request: APIRequest): Promise<Response> {
    if (this.#error) throw this.#error
    const { signal } = request
    if (signal?.aborted) throw new APIUserAbortError({ cause: signal.reason })
    this.beganAt = performance.now()
    const pending = this.#transport(wireRequest(request))
    this.#pending = pending
    const fail = (): void => pending.cancel(new APIConnectionTimeoutError())
    const timer = startTimer(fail, this.#timeoutMs || Infinity)
    const abort = (): void => pending.cancel(new APIUserAbortError({ cause: signal?.reason }))
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return (await pending.response).response()
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
  }

  cancel(error: Error): void {
    this.#error = error
    this.#pending?.cancel(error)
    this.#reject(error)
  }
}

function checked(response: Response): Response {
  if (response.bodyUsed || response.body?.locked) {
    throw new AnthropicError(
      'Cannot read the response: a middleware consumed the response body. It should read response.clone() or context.parse(response), or return a new Response',
    )
  }
  return response
}

/** Parses each response once, except streams, which can be read only once. */
function parseOnce(parse: (response: Response) => Promise<unknown>): MiddlewareContext['parse'] {
  const parsed = new WeakMap<Response, Promise<unknown>>()
  return <Result>(response: Response) => {
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
    const result = (isStream ? undefined : parsed.get(response)) ?? parse(response)
    if (!isStream) parsed.set(response, result)
    return result as Promise<Result>
  }
}

function wireRequest({ url, method, headers, body }: APIRequest): WireRequest {
  return { url, method, headers: Object.fromEntries(new Headers(headers)), body }
}

/** A logger that writes only the levels of the log. */
function loggerOf(log: Log): Logger {
  return {
    error: (message, ...rest) => log('error')?.(message, ...rest),
    warn: (message, ...rest) => log('warn')?.(message, ...rest),
    info: (message, ...rest) => log('info')?.(message, ...rest),
    debug: (message, ...rest) => log('debug')?.(message, ...rest),
  }
}
