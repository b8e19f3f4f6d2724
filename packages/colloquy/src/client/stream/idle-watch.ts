import { APIConnectionTimeoutError } from '../../protocol/types/error.ts'
import { startTimer } from '../../tools/timer.ts'

/** How often a timer looks at the reads within an idle timeout. A silence may last longer by the time between two looks. */
const looksPerTimeout = 64

/**
 * Reports when a read has waited too long, or when the time for the whole request has passed. Only reads are timed, so that
 * a slow reader is not mistaken for a silent server. A repeating timer checks the read in progress: taking the time at each
 * read would cost several per cent of the CPU time of a stream.
 */
export class IdleWatch {
  readonly #idleTimeout: number
  readonly #endsAt: number
  readonly #expired: (error: Error) => void
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Whether the timer looks at the reads, and not only at the end of the request. */
  #isLooking = false
  #isWaiting = false
  /** The time of the first look that found the current read waiting; Infinity if there was none. */
  #silentSince = Infinity

  /** `idleTimeout` in milliseconds, 0 for no limit; `endsAt` in `performance.now()` time. */
  constructor(idleTimeout: number, endsAt: number, expired: (error: Error) => void) {
    this.#idleTimeout = idleTimeout || Infinity
    this.#endsAt = endsAt
    this.#expired = expired
  }

  startWaiting(): void {
    this.#isWaiting = true
    this.#silentSince = Infinity
    if (!this.#isLooking) this.#schedule()
  }

  stopWaiting(): void {
    this.#isWaiting = false
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#isWaiting = false
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    this.#isLooking = this.#isWaiting
    const untilLook = this.#isWaiting ? this.#idleTimeout / looksPerTimeout : Infinity
    this.#timer = startTimer(() => this.#look(), Math.min(untilLook, this.#endsAt - performance.now()))
    // A program that does not read the rest of a stream may end.
    if (!this.#isWaiting && this.#timer !== undefined) letEnd(this.#timer)
  }

  #look(): void {
    // In a program that was busy the timer is due before bytes that arrived in time: let them be read first.
    if (this.#error()) this.#timer = setTimeout(() => this.#check(), 1)
    else this.#schedule()
  }

  #check(): void {
    const error = this.#error()
    if (error) this.#expired(error)
    else this.#schedule()
  }

  #error(): Error | undefined {
    const now = performance.now()
    if (now >= this.#endsAt) return tooLong()
    if (!this.#isWaiting) return undefined
    this.#silentSince = Math.min(this.#silentSince, now)
    if (now - this.#silentSince < this.#idleTimeout) return undefined
    return new APIConnectionTimeoutError({ message: `nothing arrived for ${this.#idleTimeout} ms (idleTimeout)` })
  }
}

function tooLong(): APIConnectionTimeoutError {
  const error = new APIConnectionTimeoutError({ message: 'the request took longer than totalTimeout allows' })
  return Object.assign(error, { notRetriedBecause: 'totalTimeout' as const })
}

/** Lets the process end before the timer is due. Only timers of Node and similar runtimes prevent that. */
function letEnd(timer: { unref?(): unknown } | number): void {
  if (typeof timer !== 'number') timer.unref?.()
}
