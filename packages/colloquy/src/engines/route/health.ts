import { APIError } from '../../protocol/types/error.ts'
import type { Clock } from '../clock.ts'
import type { FallbackReason, Failure } from './failure.ts'

/** How long an engine is left alone after it failed. */
export interface HealthOptions {
  /** Milliseconds after a 429 or 529 without `retry-after`. */
  coolDownMs: number
  /** Failures in a row after which the circuit opens. */
  breakAfter: number
  /** Milliseconds until an open circuit lets one request through. */
  breakForMs: number
}

/** A request to the engine. Several may be in flight, so each is told apart by its identity. */
export interface Attempt {
  readonly model: string
}

interface CoolDown {
  until: number
  /** Whether the engine said how long. */
  isKnown: boolean
  error: unknown
}

/** Past this number, cool-downs that have ended are forgotten: requests may name any model. */
const maxCoolDowns = 1_000

/**
 * Whether an engine may be tried. A rate limit or an overload concerns one model, since limits are per model; failures of the
 * connection and of the server concern all.
 */
export class Health {
  readonly #options: HealthOptions
  readonly #clock: Clock
  readonly #coolDowns = new Map<string, CoolDown>()
  #failures = 0
  #lastError: unknown
  /** When the circuit lets a request through. Undefined while it is closed. */
  #opensAt: number | undefined
  /** The attempt that an open circuit lets through. */
  #trial: Attempt | undefined

  constructor(options: HealthOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
  }

  /** Whether the engine is expected to answer: if not, it is tried after all others. */
  isReady(model: string): boolean {
    return this.#coolDown(model) === undefined
  }

  /** Begins an attempt. Returns why the engine must not be tried; undefined if it may be. */
  begin(attempt: Attempt): Omit<Failure, 'label'> | undefined {
    const now = this.#clock.now()
    const cool = this.#coolDown(attempt.model)
    if (cool?.isKnown) return skip(`cools down for ${seconds(cool.until - now)}`, cool.error, cool.until - now)
    if (this.#opensAt === undefined) return undefined
    if (this.#trial !== undefined) return skip('is being tried', this.#lastError, null)
    const wait = this.#opensAt - now
    if (wait > 0) return skip(`failed ${this.#failures} times, left alone for ${seconds(wait)}`, this.#lastError, wait)
    this.#trial = attempt
    return undefined
  }

  /** The engine has begun to reply. */
  succeeded(attempt: Attempt): void {
    // An attempt that began earlier says nothing about a cool-down whose end is known.
    if (!this.#coolDown(attempt.model)?.isKnown) this.#coolDowns.delete(attempt.model)
    this.left(attempt)
    this.#opensAt = undefined
  }

  /** The reply is complete. A stream that breaks off is a failure, although it began well. */
  completed(): void {
    this.#failures = 0
  }

  /** The attempt ended without telling whether the engine works, such as by an abort. */
  left(attempt: Attempt): void {
    if (this.#trial === attempt) this.#trial = undefined
  }

  failed(attempt: Attempt, reason: FallbackReason, error: unknown): void {
    // An engine that refuses a request works.
    if (reason === 'request' || reason === 'refusal') return this.succeeded(attempt)
    const wasTrial = this.#trial === attempt
    this.left(attempt)
    if (reason === 'overload') return this.#cool(attempt.model, error)
    this.#failures++
    this.#lastError = error
    if (wasTrial || this.#failures >= this.#options.breakAfter)
      this.#opensAt = this.#clock.now() + this.#options.breakForMs
  }

  #cool(model: string, error: unknown): void {
    const now = this.#clock.now()
    const asked = error instanceof APIError ? error.retryAfterMs : null
    if (asked === null && this.#coolDown(model)?.isKnown) return
    if (this.#coolDowns.size >= maxCoolDowns)
      for (const [name, { until }] of this.#coolDowns) if (until <= now) this.#coolDowns.delete(name)
    if (this.#coolDowns.size >= maxCoolDowns) return
    const until = now + (asked ?? this.#options.coolDownMs)
    this.#coolDowns.set(model, { until, isKnown: asked !== null, error })
  }

  #coolDown(model: string): CoolDown | undefined {
    const found = this.#coolDowns.get(model)
    return found !== undefined && found.until > this.#clock.now() ? found : undefined
  }
}

function skip(skipped: string, error: unknown, retryAfterMs: number | null): Omit<Failure, 'label'> {
  return { skipped, error, retryAfterMs }
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`
}
