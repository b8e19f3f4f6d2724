/** A budget in one period, for a key or for one of its users. */
export interface Account {
  /** Unique among all keys, users and periods. */
  name: string
  /** The most that may be spent, in picodollars. */
  limit: bigint
  /** The end of the period in milliseconds since 1970; null if it has none. */
  until: number | null
}

interface Allowance {
  until: number | null
  /** The requests in flight of its account. */
  requests: number
  /** Reserved in the database for this instance. */
  held: bigint
  /** The part of it that requests in flight may cost. */
  inFlight: bigint
  /** The part of it that was spent and is not in the database yet. */
  spent: bigint
  /** Whether it was used since the last `planned()`. */
  isUsed: boolean
  /** Whether the database may have less than `held`. */
  isDoubtful: boolean
}

/**
 * The allowances of this instance: amounts that it has reserved in the database ahead of its requests, so that a request does
 * not wait for the database. The sum of all allowances and of everything spent never exceeds the limit of an account.
 */
export class Accounts {
  readonly #allowances = new Map<string, Allowance>()

  /**
   * Takes the amount from the allowance of each account. Returns the accounts that lack some; if any, nothing is taken. No
   * account lacks 0, the amount of a request that is free or has been made.
   */
  take(accounts: readonly Account[], amount: bigint): Account[] {
    const lacking = amount === 0n ? [] : accounts.filter(({ name }) => this.free(name) < amount)
    if (lacking.length > 0) return lacking
    for (const account of accounts) {
      const allowance = this.#allowanceOf(account)
      allowance.requests++
      allowance.inFlight += amount
      allowance.isUsed = true
    }
    return lacking
  }

  /** The amount of an allowance that no request has taken. */
  free(name: string): bigint {
    const { held = 0n, inFlight = 0n, spent = 0n } = this.#allowances.get(name) ?? {}
    return held - inFlight - spent
  }

  /** The part of an amount that an allowance has not free. */
  lack(name: string, amount: bigint): bigint {
    const free = this.free(name)
    return amount - (free > 0n ? free : 0n)
  }

  /** The allowance grew: the database has reserved more. */
  grow(account: Account, amount: bigint): void {
    this.#allowanceOf(account).held += amount
  }

  #allowanceOf({ name, until }: Account): Allowance {
    let allowance = this.#allowances.get(name)
    if (allowance === undefined) {
      allowance = { until, requests: 0, held: 0n, inFlight: 0n, spent: 0n, isUsed: true, isDoubtful: false }
      this.#allowances.set(name, allowance)
    }
    return allowance
  }

  /** Replaces what a request has taken by what it cost. */
  settle(names: readonly string[], taken: bigint, cost: bigint): void {
    for (const name of names) {
      const allowance = this.#allowances.get(name)
      if (!allowance) continue
      allowance.requests--
      allowance.inFlight -= taken
      allowance.spent += cost
    }
  }

  /** Another instance may have released all allowances, because it took this one for dead: `plan()` has all of them then. */
  doubt(): void {
    for (const allowance of this.#allowances.values()) allowance.isDoubtful = true
  }

  /** The amounts to keep reserved: less than now for accounts that spent some or were not used since the last `planned()`. */
  plan(): PlannedAmount[] {
    return [...this.#allowances]
      .map(([name, { until, held, inFlight, spent, isUsed, isDoubtful }]) => {
        const free = held - inFlight - spent
        const kept = inFlight + (isUsed && free > 0n ? free : 0n)
        return { name, until, spent, kept, change: kept - held, isDoubtful }
      })
      .filter(({ change, spent, isDoubtful }) => change !== 0n || spent !== 0n || isDoubtful)
  }

  /** The database has what was planned. */
  planned(plan: readonly PlannedAmount[]): void {
    for (const { name, spent, change } of plan) {
      const allowance = this.#allowances.get(name)!
      allowance.held += change
      allowance.spent -= spent
      allowance.isDoubtful = false
    }
    for (const [name, allowance] of this.#allowances) {
      allowance.isUsed = false
      if (allowance.requests === 0 && allowance.held === 0n && allowance.spent === 0n) this.#allowances.delete(name)
    }
  }
}

/** The amount that an instance keeps reserved in an account. */
export interface PlannedAmount {
  name: string
  until: number | null
  /** Spent since the last plan. */
  spent: bigint
  kept: bigint
  /** The difference to what was reserved before. */
  change: bigint
}
