import { APIConnectionTimeoutError } from '../../protocol/types/error.ts'
import { startTimer } from '../../tools/timer.ts'

/**
 * Tells when nothing came for too long, or when the call's time is up. Only a read that waits is timed, so a slow reader is
 * never taken for a silent server; and by one timer for the stream, not one a read.
 */
export class IdleWatch {
  readonly #idleTimeout: number
  readonly #endsAt: number
  readonly #expired: (error: Error) => void
  #timer: ReturnType<typeof setTimeout> | undefined
  /** When the read that is under way began; Infinity while there is none. */
  #waitingSince = Infinity

  /** `idleTimeout` in ms, 0 for any time; `endsAt` as `performance.now()` counts. */
  constructor(idleTimeout: number, endsAt: number, expired: (error: Error) => void) {
    this.#idleTimeout = idleTimeout || Infinity
    this.#endsAt = endsAt
    this.#expired = expired
  }

  waits(): void {
    this.#waitingSince = performance.now()
    if (this.#timer === undefined) this.#arm()
  }

  received(): void {
    this.#waitingSince = Infinity
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#waitingSince = Infinity
  }

  #arm(): void {
    const from = Math.min(this.#waitingSince, performance.now())
    const expire = (): void => {
      // A program that was busy finds the timer due before the bytes that came in time: they are looked at first.
      if (this.#error()) this.#timer = setTimeout(() => this.#look(), 1)
      else this.#arm()
    }
    this.#timer = startTimer(expire, Math.min(from + this.#idleTimeout, this.#endsAt) - performance.now())
  }

  #look(): void {
    const error = this.#error()
    if (error) this.#expired(error)
    else this.#arm()
  }

  #error(): Error | undefined {
    const now = performance.now()
    if (now >= this.#endsAt)
      return new APIConnectionTimeoutError({ message: 'the call took longer than totalTimeout allows' })
    if (now - this.#waitingSince < this.#idleTimeout) return undefined
    return new APIConnectionTimeoutError({ message: `nothing came for ${this.#idleTimeout} ms (idleTimeout)` })
  }
}
