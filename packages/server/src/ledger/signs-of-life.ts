/** A row of the table `instance`. */
export interface SeenInstance {
  id: string
  /** The last sign of life, by the clock of that server. */
  seen_at: number
}

/**
 * Tells which servers have died: those whose sign of life has not changed for the lease. Only changes count, and a clock of
 * this process that never jumps: the clocks of machines differ, and may be set.
 */
export class SignsOfLife {
  readonly #leaseMs: number
  readonly #known = new Map<string, { seenAt: number; since: number }>()
  #lookedAt = -Infinity

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs
  }

  /** The dead ones. Call it several times in a lease with all rows. @param now milliseconds of `performance.now()`. */
  dead(instances: readonly SeenInstance[], now: number): SeenInstance[] {
    // This process was paused, as on a machine that sleeps. The others may have been paused with it.
    if (now - this.#lookedAt > this.#leaseMs / 2) this.clear()
    this.#lookedAt = now
    const ids = new Set(instances.map(({ id }) => id))
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id)
    return instances.filter(({ id, seen_at: seenAt }) => {
      const known = this.#known.get(id)
      if (known?.seenAt === seenAt) return now - known.since >= this.#leaseMs
      this.#known.set(id, { seenAt, since: now })
      return false
    })
  }

  /** Forgets all: while the database could not be reached, no server could give a sign. */
  clear(): void {
    this.#known.clear()
  }
}
