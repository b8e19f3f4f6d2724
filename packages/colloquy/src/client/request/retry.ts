import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
} from '../../protocol/types/error.ts'
import { onAbort } from './abort.ts'
import { APIResponseError } from './errors.ts'
import type { Log } from './log.ts'
import type { OnRetry } from './options.ts'
import { readBody } from './reply.ts'
import type { Reply, Transport, WireRequest } from '../transport/transport.ts'

/** Every patience option, settled. Times in milliseconds; 0 is any time. */
export interface Patience {
  timeout: number
  idleTimeout: number
  totalTimeout: number
  maxRetries: number
  maxRetryDelay: number
  onRetry: OnRetry | undefined
}

/** What an abort or a time limit can end. */
export interface Cancellable {
  cancel(error: Error): void
}

export interface CallParts {
  /** Builds the request of a try, counted from 0. */
  prepare: (attempt: number) => Promise<WireRequest>
  transport: Transport
  patience: Patience
  signal: AbortSignal | null | undefined
  log: Log
}

/**
 * One call: its tries, the waits between them, and the one place where an abort reaches whatever it is doing. It ends when a
 * whole answer was read, when the first event of a stream was, or with an error.
 */
export class Call implements Cancellable {
  readonly patience: Patience
  readonly log: Log
  /** The answer that the result was read from, or is being read from. */
  reply: Reply | undefined
  readonly #transport: Transport
  readonly #endsAt: number
  #prepare: CallParts['prepare'] | undefined
  #tries = 0
  #tryEndsAt = Infinity
  #aborted: Error | undefined
  // Only one thing is under way at a time, so one place is enough for who has to be told of an abort.
  #current: Cancellable | undefined
  #unsubscribe: (() => void) | undefined

  constructor({ prepare, transport, patience, signal, log }: CallParts) {
    this.patience = patience
    this.log = log
    this.#transport = transport
    this.#prepare = prepare
    this.#endsAt = after(patience.totalTimeout)
    if (signal?.aborted) this.#aborted = new APIUserAbortError({ cause: signal.reason })
    else if (signal)
      this.#unsubscribe = onAbort(signal, (reason) => this.cancel(new APIUserAbortError({ cause: reason })))
  }

  /** Ends the call with the error, whatever it is doing. */
  cancel(error: Error): void {
    this.#aborted ??= error
    this.#current?.cancel(this.#aborted)
  }

  /** Asks until a good answer's headers came. */
  async open(): Promise<Reply> {
    const outcome = await this.#try()
    return outcome instanceof Error ? this.again(outcome) : outcome
  }

  /** Asks again because what came so far was no answer; throws the error where that is pointless or not allowed. */
  async again(error: Error): Promise<Reply> {
    for (let outcome: Reply | Error = error; ; outcome = await this.#try()) {
      if (!(outcome instanceof Error)) return outcome
      await this.#waitAfter(outcome)
    }
  }

  mayRetry(error: unknown): boolean {
    return !this.#aborted && this.#tries <= this.patience.maxRetries && isRetryable(error)
  }

  /** Awaits some work on a reply within the time that the try has. */
  async within<Result>(current: Cancellable, work: Promise<Result>): Promise<Result> {
    return this.#stage(current, work, Math.min(this.#tryEndsAt, this.#endsAt))
  }

  /** Makes an abort reach whoever reads the answer now. */
  hold(current: Cancellable): void {
    this.#current = current
    if (this.#aborted) current.cancel(this.#aborted)
  }

  /** Lets go of the request, as no other try can follow. */
  release(): void {
    this.#prepare = undefined
  }

  /** When the whole call must be over, as `performance.now()` counts. */
  get endsAt(): number {
    return this.#endsAt
  }

  /** Lets go of everything: the call is over. */
  settle(): void {
    this.release()
    this.#current = undefined
    this.#unsubscribe?.()
  }

  async #try(): Promise<Reply | Error> {
    const startedAt = performance.now()
    try {
      if (this.#aborted) throw this.#aborted
      const request = await this.#prepare!(this.#tries)
      this.#tries++
      this.#tryEndsAt = after(this.patience.timeout)
      const sending = this.#transport(request)
      const reply = await this.within(sending, sending.reply)
      this.log('info')?.(
        `${request.method} ${request.url.split('?')[0]} ${reply.status} in ${Math.round(performance.now() - startedAt)} ms`,
        reply.header('request-id'),
      )
      if (reply.status >= 200 && reply.status < 300) {
        this.#current = this.reply = reply
        return reply
      }
      return await this.#errorOf(reply)
    } catch (error) {
      // Not ours to retry: the key function, a middleware or a mistake in the request.
      if (!(error instanceof APIError)) this.settle()
      if (error instanceof APIError) return error
      throw error
    }
  }

  async #errorOf(reply: Reply): Promise<APIError> {
    const location = reply.status < 400 ? reply.header('location') : null
    // The key is for the host that it was given for, and a POST that becomes a GET asks nothing.
    const hint = location && `Cannot follow a redirect to ${location}: if it can be trusted, pass it as baseURL`
    const text = (await this.within(reply, readBody(reply))) || hint || ''
    const body = parsed(text)
    return APIError.generate(reply.status, body, body === undefined ? text.slice(0, 2000) : undefined, reply.headers())
  }

  async #waitAfter(error: Error): Promise<void> {
    const { maxRetries, maxRetryDelay, onRetry } = this.patience
    try {
      if (!this.mayRetry(error)) throw this.#aborted ?? error
      const asked = (error as APIError).retryAfterMs
      const longestMs = Math.min(maxRetryDelay || Infinity, longestTimerMs)
      if (asked !== null && asked > longestMs) {
        error.message += ` (not retried: the API asks to wait ${Math.ceil(asked / 1000)} s, more than maxRetryDelay allows)`
        throw error
      }
      const delayMs = asked ?? Math.min(backoff(this.#tries - 1), longestMs)
      if (performance.now() + delayMs >= this.#endsAt) throw error
      this.log('info')?.(`retry ${this.#tries} of ${maxRetries} in ${Math.round(delayMs)} ms: ${error.message}`)
      onRetry?.({ retry: this.#tries, maxRetries, delayMs, error })
      await this.#sleep(delayMs)
    } catch (error) {
      this.settle()
      throw error
    }
  }

  #sleep(ms: number): Promise<void> {
    let cancel!: (error: Error) => void
    let timer: ReturnType<typeof setTimeout> | undefined
    const wait = new Promise<void>((resolve, reject) => {
      cancel = reject
      timer = setTimeout(resolve, ms)
    })
    return this.#stage({ cancel }, wait, Infinity).finally(() => clearTimeout(timer))
  }

  async #stage<Result>(current: Cancellable, work: Promise<Result>, endsAt: number): Promise<Result> {
    this.#current = current
    if (this.#aborted) current.cancel(this.#aborted)
    const timer = alarm(endsAt, () => current.cancel(new APIConnectionTimeoutError()))
    try {
      return await work
    } catch (error) {
      throw this.#aborted ?? error
    } finally {
      clearTimeout(timer)
      this.#current = undefined
    }
  }
}

/** Of a user, a contract or a linked organisation: asking again costs nothing and gains nothing until somebody raises it. */
const spendLimit = /spend_limit_reached$/

const passing = /^(overloaded|rate_limit|api|timeout)_error$/

// A certificate is as wrong a second later.
const lastingCauses = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT|ERR_INVALID_|ERR_UNESCAPED)/

/** Whether time may heal the failure. */
export function isRetryable(error: unknown): boolean {
  if (!(error instanceof APIError) || error instanceof APIUserAbortError) return false
  if (spendLimit.test(error.errorCode ?? '')) return false
  // By its name, so that a page whose middleware throws none does not load the class.
  if (error.name === 'RetryableError') return true
  const { status, type } = error
  if (status === undefined) {
    if (type !== null) return passing.test(type)
    return error instanceof APIConnectionError && !lastingCauses.test(codeOf(error.cause))
  }
  if (error instanceof APIResponseError) return true
  const advice = error.headers?.get('x-should-retry')
  if (advice === 'true' || advice === 'false') return advice === 'true'
  return status === 408 || status === 409 || status === 429 || status >= 500
}

function codeOf(cause: unknown): string {
  for (let error = cause; error instanceof Error; error = error.cause) {
    const { code } = error as { code?: unknown }
    if (typeof code === 'string') return code
  }
  return ''
}

/** 0.5, 1, 2, 4, 8, 8 … seconds, each up to a quarter shorter, so that clients which failed together do not come back together. */
function backoff(retries: number): number {
  return Math.min(500 * 2 ** retries, 8000) * (1 - Math.random() / 4)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The moment some milliseconds from now; 0 is never. */
function after(ms: number): number {
  return ms === 0 ? Infinity : performance.now() + ms
}

/** 24 days: a timer that is set for longer rings at once. */
const longestTimerMs = 2 ** 31 - 1

/** Calls back at a moment. What ends later than a timer can count never ends. */
export function alarm(at: number, callback: () => void): ReturnType<typeof setTimeout> | undefined {
  const ms = at - performance.now()
  return ms <= longestTimerMs ? setTimeout(callback, Math.max(ms, 0)) : undefined
}
