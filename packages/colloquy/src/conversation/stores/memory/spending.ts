import { checkAccount, type Entry, nothingSpent } from '../../money/spending.ts'
import type { Account, Amounts, LimitedAccount, Spending } from '../store.ts'

/** The accounts of a store in memory. */
export class MemorySpending {
  readonly #accounts = new Map<string, Spending>()

  of(account: Account): Spending {
    return structuredClone(this.#accounts.get(nameOf(account)) ?? nothingSpent)
  }

  forgetDays(before: string): void {
    for (const [name, { held }] of this.#accounts) {
      const { day } = JSON.parse(name) as Account
      if (day !== '' && day < before && held.picoUsd === 0n && held.tokens === 0n) this.#accounts.delete(name)
    }
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

  /** Enters nothing, and throws `BudgetError`, where a limit leaves less than the worst. */
  enterChecked(accounts: readonly LimitedAccount[], entry: Entry, worst: Amounts): void {
    for (const account of accounts) checkAccount(account, this.of(account), worst)
    this.enter(accounts, entry)
  }
}

function nameOf({ user, day }: Account): string {
  return JSON.stringify({ user, day })
}
