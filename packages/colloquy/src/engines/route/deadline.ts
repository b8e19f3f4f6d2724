import { APIConnectionTimeoutError } from '../../protocol/types/error.ts'
import type { Clock } from '../clock.ts'

/** The time that an engine has until its first event. Aborts its signal afterwards, or when the caller aborts. */
export class Deadline {
  readonly #own = new AbortController()
  readonly #timer = new AbortController()
  readonly #caller: AbortSignal | undefined
  readonly #over: Promise<never>
  readonly #abort = (): void => this.#own.abort(this.#caller?.reason)
  isOver = false

  constructor(ms: number, caller: AbortSignal | undefined, clock: Clock) {
    this.#caller = caller
    if (caller?.aborted) this.#abort()
    caller?.addEventListener('abort', this.#abort, { once: true })
    const { promise, reject } = Promise.withResolvers<never>()
    this.#over = promise
    promise.catch(() => {})
    clock.wait(ms, this.#timer.signal).then(
      () => {
        this.isOver = true
        this.#own.abort()
        reject(new APIConnectionTimeoutError())
      },
      // The first event came in time.
      () => {},
    )
  }

  get signal(): AbortSignal {
    return this.#own.signal
  }

  /** Rejects when the time is over, even if the engine does not stop. */
  async race<Result>(result: Promise<Result>): Promise<Result> {
    result.catch(() => {})
    const first = await Promise.race([result, this.#over])
    this.#timer.abort()
    return first
  }

  end(): void {
    this.#timer.abort()
    this.#caller?.removeEventListener('abort', this.#abort)
  }
}
