import { APIError } from '../../protocol/types/error.ts'
import type { TransportResponse, Transport, WireRequest } from '../transport/transport.ts'
import { Cancellation, timeAfter, type Cancellable } from './cancellation.ts'
import type { Log } from './log.ts'
import { isRetryable } from './errors.ts'
import { uncommonParts } from './prepare.ts'
import { readBody } from './response.ts'
import { decideRetry, type RetryDecision, type RetryPolicy } from './retry.ts'

/** Makes the result of a response. An `APIError` leads to another attempt, if one may follow. */
export type Parse<Result> = (response: TransportResponse, request: RetryingRequest) => Promise<Result>

export interface RequestParts {
  /** Builds the request of an attempt, counted from 0. */
  prepare: (attempt: number) => Promise<WireRequest>
  transport: () => Transport | Promise<Transport>
  policy: RetryPolicy
  signal: AbortSignal | null | undefined
  log: Log
  /** Called when no other attempt follows a failure. Returns the error to throw, or undefined for the failure itself. */
  failed?: (error: unknown) => unknown
}

export type LazyParts = Pick<RequestParts, 'prepare' | 'transport' | 'failed'>

/** The parts of a request, some of which are loaded on demand. */
export function withLazyParts(parts: Omit<RequestParts, keyof LazyParts>, loaded: Promise<LazyParts>): RequestParts {
  return {
    ...parts,
    prepare: async (attempt) => (await loaded).prepare(attempt),
    transport: async () => (await loaded).transport(),
    failed: async (error) => (await loaded).failed?.(error),
  }
}

/** One request: its attempts and the waits between them, until a response was read or the first event of a stream arrived. */
export class RetryingRequest implements Cancellable {
  declare readonly policy: RetryPolicy
  declare readonly log: Log
  /** The response that the result is read from. */
  declare response: TransportResponse | undefined
  #transport: RequestParts['transport'] | undefined
  readonly #failed: RequestParts['failed']
  readonly #cancellation: Cancellation
  #prepare: RequestParts['prepare'] | undefined
  #attempts = 0
  #attemptEndsAt = Infinity

  constructor({ prepare, transport, policy, signal, log, failed }: RequestParts) {
    this.policy = policy
    this.log = log
    this.#transport = transport
    this.#prepare = prepare
    this.#failed = failed
    this.#cancellation = new Cancellation(signal, policy.totalTimeout)
  }

  /** When the whole request must be over, in `performance.now()` time. */
  get endsAt(): number {
    return this.#cancellation.endsAt
  }

  /** Ends the request with the error, whatever it is doing. */
  cancel(error: Error): void {
    this.#cancellation.cancel(error)
  }

  /** Directs a cancellation to the reader of the response. */
  setCancelTarget(target: Cancellable): void {
    this.#cancellation.setTarget(target)
  }

  /** Makes attempts until the headers of a successful response have arrived. */
  async send(): Promise<TransportResponse> {
    const outcome = await this.#attempt()
    return outcome instanceof Error ? this.sendAfter(outcome) : outcome
  }

  /** Makes further attempts after a failure. Throws the error if none may follow. */
  async sendAfter(failure: Error): Promise<TransportResponse> {
    for (let outcome: TransportResponse | Error = failure; ; outcome = await this.#attempt()) {
      if (!(outcome instanceof Error)) return outcome
      await this.#waitAfter(outcome)
    }
  }

  /** Reads the response, or that of another attempt if the reading fails. */
  async read<Result>(response: TransportResponse, parse: Parse<Result>): Promise<Result> {
    for (let current = response; ;) {
      try {
        return await parse(current, this)
      } catch (error) {
        if (!(error instanceof APIError)) throw error
        current = await this.sendAfter(error)
      }
    }
  }

  /** Whether another attempt may follow the failure. */
  mayRetry(error: unknown): boolean {
    return !this.#cancellation.error && this.#decide(error).retry
  }

  /** Awaits work on a response within the time of its attempt. */
  withTimeout<Result>(target: Cancellable, work: Promise<Result>): Promise<Result> {
    return this.#cancellation.guard(target, work, Math.min(this.#attemptEndsAt, this.endsAt))
  }

  /** Reads the body of a response as text, within the time of its attempt. */
  readText(response: TransportResponse): string | Promise<string> {
    return response.arrivedText?.() ?? this.withTimeout(response, readBody(response))
  }

  /** Leaves the response to the caller, whom a cancellation still reaches. No other attempt follows. */
  lend(target: Cancellable): (() => void) | undefined {
    this.dropRequest()
    return this.#cancellation.lend(target)
  }

  /** Frees the request's body, as no other attempt can follow. */
  dropRequest(): void {
    this.#prepare = this.#transport = undefined
  }

  /** Frees everything, as the request is over. */
  finish(): void {
    this.dropRequest()
    this.#cancellation.release()
  }

  async #attempt(): Promise<TransportResponse | Error> {
    const startedAt = performance.now()
    try {
      if (this.#cancellation.error) throw this.#cancellation.error
      const request = await this.#prepare!(this.#attempts)
      const transport = await this.#transport!()
      this.#attempts++
      const pending = transport(request)
      this.#attemptEndsAt = pending.beganAt ? Infinity : timeAfter(this.policy.timeout)
      const response = await this.withTimeout(pending, pending.response)
      if (pending.beganAt) this.#attemptEndsAt = pending.beganAt() + (this.policy.timeout || Infinity)
      const info = this.log('info')
      if (info) (await uncommonParts()).logAttempt(info, request, response, startedAt)
      if (response.status < 200 || response.status >= 300) return await this.#errorOf(response)
      this.setCancelTarget(response)
      return (this.response = response)
    } catch (error) {
      if (error instanceof APIError || (error instanceof Error && isRetryable(error))) return error
      // Not a failure of the API: the function for the key, a middleware, or a mistake in the request.
      return this.#fail(error)
    }
  }

  async #fail(error: unknown): Promise<never> {
    this.finish()
    throw (await this.#failed?.(error)) ?? error
  }

  async #errorOf(response: TransportResponse): Promise<APIError> {
    const { errorOf } = await uncommonParts()
    return this.withTimeout(response, errorOf(response))
  }

  async #waitAfter(error: Error): Promise<void> {
    try {
      if (this.#cancellation.error) throw this.#cancellation.error
      const decision = this.#decide(error)
      if (!decision.retry) {
        if (error instanceof APIError) error.notRetriedBecause = decision.because
        throw error
      }
      const { maxRetries, onRetry } = this.policy
      const retry = { retry: this.#attempts, maxRetries, delayMs: decision.delayMs, error }
      const info = this.log('info')
      if (info) (await uncommonParts()).logRetry(info, retry)
      onRetry?.(retry)
      await this.#sleep(retry.delayMs)
    } catch (error) {
      await this.#fail(error)
    }
  }

  #decide(error: unknown): RetryDecision {
    if (!this.#prepare) return { retry: false }
    const remainingMs = this.endsAt - performance.now()
    return decideRetry(error, { retries: this.#attempts - 1, policy: this.policy, remainingMs })
  }

  #sleep(ms: number): Promise<void> {
    let cancel!: (error: Error) => void
    let timer: ReturnType<typeof setTimeout> | undefined
    const wait = new Promise<void>((resolve, reject) => {
      cancel = reject
      timer = setTimeout(resolve, ms)
    })
    return this.#cancellation.guard({ cancel }, wait, Infinity).finally(() => clearTimeout(timer))
  }
}
