import { type APIError, apiError, formatUsd } from 'colloquy/protocol'
import type { Account } from '../ledger/accounts.ts'
import { finalError } from '../messages/http-error.ts'
import type { KeyRecord } from './keys/keys.ts'
import { budgetPicoUsd, type KeyBudget } from './keys/settings.ts'

/** An account with the budget that it stands for. */
export interface BudgetAccount extends Account {
  budget: KeyBudget
  /** Empty for a budget of the key itself. */
  user: string
}

/** The accounts of the last request of each key: most requests have the same ones as the one before. */
const lastAccounts = new WeakMap<KeyRecord, { user: string; day: number; accounts: readonly BudgetAccount[] }>()

/** The accounts that pay for a request at a time. */
export function accountsOf(key: KeyRecord, user: string, at: number): readonly BudgetAccount[] {
  const day = Math.floor(at / dayMs)
  const last = lastAccounts.get(key)
  if (last?.day === day && last.user === user) return last.accounts
  const accounts = findAccounts(key, user, at)
  lastAccounts.set(key, { user, day, accounts })
  return accounts
}

function findAccounts({ id, settings }: KeyRecord, user: string, at: number): BudgetAccount[] {
  return (settings.budgets ?? []).map((budget) => {
    const payer = budget.each === 'user' ? user : ''
    const { name, until } = periodAt(budget.per, at)
    // A user may have any name: JSON keeps it apart from the rest.
    const account = JSON.stringify([id, budget.each ?? 'key', payer, name])
    return { name: account, limit: budgetPicoUsd(budget), until, budget, user: payer }
  })
}

interface Period {
  name: string
  until: number | null
}

const dayMs = 86_400_000
const total: Period = { name: 'total', until: null }
/** The periods of the last day that was asked for: every request needs them, and formatting takes longer than the rest. */
let today: { number: number; day: Period; month: Period } | undefined

function periodAt(per: KeyBudget['per'], at: number): Period {
  if (per === 'total') return total
  const number = Math.floor(at / dayMs)
  if (today?.number !== number) today = { number, ...periodsOf(number) }
  return today[per]
}

function periodsOf(number: number): { day: Period; month: Period } {
  const date = new Date(number * dayMs)
  const name = date.toISOString().slice(0, 10)
  return {
    day: { name, until: (number + 1) * dayMs },
    month: { name: name.slice(0, 7), until: Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1) },
  }
}

const periods = { day: 'daily', month: 'monthly', total: 'total' }

/** The API's 429 for a request that an account cannot pay. It does not help to retry. */
export function budgetError({ budget, user, until, limit }: BudgetAccount, keyName: string): APIError {
  const who = user === '' ? `the key ${keyName}` : `the user ${user} of the key ${keyName}`
  const regain =
    until === null
      ? 'Ask for a larger budget to regain access.'
      : `You will regain access on ${new Date(until).toISOString().slice(0, 10)} at 00:00 UTC.`
  const message = `You have reached your API usage limits: this request could exceed the ${periods[budget.per]} budget of ${formatUsd(limit)} of ${who}. ${regain}`
  const details = { error_code: 'enforced_spend_limit_reached' }
  return finalError(429, apiError('rate_limit_error', message, details))
}
