import { type Bill, type Budget, type Call, billFor, tokensLeft, tokensWithin, worstOf } from '../money/budget.ts'
import { BudgetError } from '../errors.ts'
import { accountsFor, isInDollars, type Limits } from '../money/limits.ts'
import { endAbandoned } from './recovery.ts'
import type { ConversationState } from './state.ts'
import type { BeginStep, BegunTurn, Reservation, RepeatedTurn } from '../stores/store.ts'

/** What limits a call: its conversation, and the store. */
export interface Limiting {
  budget: Budget | undefined
  limits: Limits | undefined
}

/** The most that the call can take; undefined where nothing limits it and nobody counts. */
export async function billWithin({ budget, limits }: Limiting, call: () => Call): Promise<Bill | undefined> {
  if (budget === undefined && limits === undefined) return undefined
  const inDollars = budget?.usd !== undefined || budget?.usdPerCall !== undefined || isInDollars(limits ?? {})
  return billFor(call(), { inDollars })
}

export interface Begun {
  begun: BegunTurn | RepeatedTurn
  /** With which the call stays within every limit; undefined where nothing limits it. */
  maxTokens: number | undefined
  /** What is held for it. */
  hold: Reservation | undefined
}

/**
 * Begins a turn whose call stays within every limit, and holds the most that it can take. Throws `BudgetError`, and then
 * nothing is written, where there is no room.
 *
 * The conversation's own limits are checked here, on what this process knows of it: the step's version says that nobody began
 * another turn since. Those of the store are checked by the store.
 */
export async function beginWithin(
  state: ConversationState,
  { budget, limits }: Limiting,
  step: BeginStep,
  { bill, user }: { bill: Bill | undefined; user: string },
): Promise<Begun> {
  const { store } = state
  if (bill === undefined) return { begun: await store.begin(step), maxTokens: undefined, hold: undefined }
  const accounts = limits === undefined ? [] : accountsFor(limits, user, store.now())
  let maxTokens = budget === undefined ? bill.asked : tokensWithin(budget, bill, state.ledger.total, state.held)
  for (let looked = false; ;) {
    const hold = { ...worstOf(bill, maxTokens), accounts }
    try {
      return { begun: await store.begin({ ...step, reservation: hold }), maxTokens, hold }
    } catch (error) {
      if (!(error instanceof BudgetError)) throw error
      const freed: boolean = !looked && error.held > 0n && (await endAbandoned(store))
      looked = true
      if (freed) continue
      if (!limits?.fit) throw error
      // Another may have been faster: the store is asked again, and again says no or holds it.
      maxTokens = tokensLeft(bill, error)
    }
  }
}
