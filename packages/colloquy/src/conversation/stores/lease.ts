import { aboveZero, callable, type Rule } from '../../engines/check-options.ts'
import { isGone } from './owner.ts'

/** The mark that a process is receiving a reply. */
export interface Lease {
  /** The process, in the form of `thisProcess`. */
  owner: string
  /** When the lease ends unless it is extended, in milliseconds since 1970. */
  until: number
}

export interface LeaseOptions {
  /** How long a turn may be silent before it counts as abandoned, if its process cannot be asked. Default 30,000. */
  leaseMs?: number
  /** The current time in milliseconds since 1970. Default `Date.now`. */
  now?: () => number
}

export const leaseRules: Record<keyof LeaseOptions, Rule> = { leaseMs: aboveZero, now: callable }

/** Decides how long leases last. */
export class LeaseClock {
  readonly now: () => number
  readonly #leaseMs: number

  constructor({ leaseMs = 30_000, now = Date.now }: LeaseOptions) {
    this.now = now
    this.#leaseMs = leaseMs
  }

  get heartbeatMs(): number {
    return this.#leaseMs / 3
  }

  /** When a lease ends that begins, or is extended, now. */
  get end(): number {
    return this.now() + this.#leaseMs
  }

  /** Whether no process receives the reply any longer, as far as can be known. */
  isAbandoned({ owner, until }: Lease): boolean {
    return until < this.now() || isGone(owner)
  }
}
