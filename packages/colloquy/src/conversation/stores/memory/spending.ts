import { checkAccount, type Entry, reservationEntry, nothingSpent } from '../../money/spending.ts'
import type { Account, Reservation, Spending } from '../store.ts'

/** The accounts of a store in memory. */
export class MemorySpending {
  readonly #accounts = new Map<string, Spending>()

  of(account: Account): Spending {
    return structuredClone(this.#accounts.get(nameOf(account)) ?? nothingSpent)
  }

  /** Reserves in all accounts or, if a limit leaves too little, in none: then it throws a `BudgetError`. */
  reserve(reservation: Reservation): void {
    for (const account of reservation.accounts) checkAccount(account, this.of(account), reservation)
    this.enter(reservation.accounts, reservationEntry(reservation))
  }

  enter(accounts: readonly Account[], { picoUsd, tokens, held, unpriced }: Entry): void {
    for (const account of accounts) {
      const now = this.of(account)
      this.#accounts.set(nameOf(account), {
        picoUsd: now.picoUsd + picoUsd,
        tokens: now.tokens + tokens,
        held: { picoUsd: now.held.picoUsd + held.picoUsd, tokens: now.held.tokens + held.tokens },
        unpriced: now.unpriced + unpriced,
      })
    }
  }

  forgetDays(before: string): void {
    for (const [name, { held }] of this.#accounts) {
      const { day } = JSON.parse(name) as Account
      if (day !== '' && day < before && held.picoUsd === 0n && held.tokens === 0n) this.#accounts.delete(name)
    }
  }
}

function nameOf({ user, day }: Account): string {
  return JSON.stringify({ user, day })
}
