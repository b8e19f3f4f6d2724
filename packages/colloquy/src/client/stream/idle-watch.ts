import { APIConnectionTimeoutError } from '../../protocol/types/error.ts'
import { startTimer } from '../../tools/timer.ts'

/**
 * Reports when a read has waited too long, or when the whole request is out of time. Only reads are timed, so that a slow
 * reader is not taken for a silent server, and one timer serves the whole stream.
 */
export class IdleWatch {
  readonly #idleTimeout: number
  readonly #endsAt: number
  readonly #expired: (error: Error) => void
  #timer: ReturnType<typeof setTimeout> | undefined
  /** When the current read began; Infinity while no read waits. */
  #waitingSince = Infinity

  /** `idleTimeout` in milliseconds, 0 for no limit; `endsAt` in `performance.now()` time. */
  constructor(idleTimeout: number, endsAt: number, expired: (error: Error) => void) {
    this.#idleTimeout = idleTimeout || Infinity
    this.#endsAt = endsAt
    this.#expired = expired
  }

  startWaiting(): void {
    this.#waitingSince = performance.now()
    if (this.#timer === undefined) this.#schedule()
    else keepAlive(this.#timer, true)
  }

  stopWaiting(): void {
    this.#waitingSince = Infinity
    // A program that does not read the rest of a stream may end.
    if (this.#timer !== undefined) keepAlive(this.#timer, false)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#waitingSince = Infinity
  }

  #schedule(): void {
    const from = Math.min(this.#waitingSince, performance.now())
    const expire = (): void => {
      // In a program that was busy the timer is due before bytes that arrived in time: let them be read first.
      if (this.#error()) this.#timer = setTimeout(() => this.#check(), 1)
      else this.#schedule()
    }
    this.#timer = startTimer(expire, Math.min(from + this.#idleTimeout, this.#endsAt) - performance.now())
    if (this.#timer !== undefined && this.#waitingSince === Infinity) keepAlive(this.#timer, false)
  }

  #check(): void {
    const error = this.#error()
    if (error) this.#expired(error)
    else this.#schedule()
  }

  #error(): Error | undefined {
    const now = performance.now()
    if (now >= this.#endsAt)
      return new APIConnectionTimeoutError({ message: 'the request took longer than totalTimeout allows' })
    if (now - this.#waitingSince < this.#idleTimeout) return undefined
    return new APIConnectionTimeoutError({ message: `nothing arrived for ${this.#idleTimeout} ms (idleTimeout)` })
  }
}

/** Whether a timer keeps the process from ending. Only timers of Node and similar runtimes can. */
function keepAlive(timer: { ref?(): unknown; unref?(): unknown } | number, isNeeded: boolean): void {
  if (typeof timer === 'number') return
  if (isNeeded) timer.ref?.()
  else timer.unref?.()
}
