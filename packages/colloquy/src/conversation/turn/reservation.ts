import { BudgetError } from '../errors.ts'
import { maxTokensAfter, maxTokensAllowed } from '../money/budget.ts'
import { type CostCeiling, type CostInput, ceilingAt, ceilingFor } from '../money/cost-ceiling.ts'
import { accountsFor, isInDollars, type Limits } from '../money/limits.ts'
import type { Budget } from '../settings.ts'
import type { BeginStep, BegunTurn, RepeatedTurn, Reservation } from '../stores/store.ts'
import { endAbandoned } from './recovery.ts'
import type { ConversationState } from './state.ts'

/** What limits a call: its conversation's budget and the store's limits. */
export interface LimitSet {
  budget: Budget | undefined
  limits: Limits | undefined
}

/** The most that a call can take. Undefined if nothing limits the call or counts it. */
export async function estimateIfLimited(
  { budget, limits }: LimitSet,
  input: () => CostInput,
): Promise<CostCeiling | undefined> {
  if (budget === undefined && limits === undefined) return undefined
  const inDollars = budget?.usd !== undefined || budget?.usdPerCall !== undefined || isInDollars(limits ?? {})
  return ceilingFor(input(), { inDollars })
}

export interface Reserved {
  begun: BegunTurn | RepeatedTurn
  /** The highest `max_tokens` that no limit forbids. Undefined if there are no limits. */
  maxTokens: number | undefined
  /** What is reserved for the call. */
  hold: Reservation | undefined
}

/**
 * Begins a turn whose call stays within every limit, and reserves the most that it can take. Throws `BudgetError`, and writes
 * nothing, if there is no room.
 *
 * The conversation's own budget is checked here, against what this process knows: the step's version proves that no other
 * process has begun a turn since. The store checks its own limits.
 */
export async function beginReserved(
  state: ConversationState,
  { budget, limits }: LimitSet,
  step: BeginStep,
  { ceiling, user }: { ceiling: CostCeiling | undefined; user: string },
): Promise<Reserved> {
  const { store } = state
  if (ceiling === undefined) return { begun: await store.begin(step), maxTokens: undefined, hold: undefined }
  const accounts = limits === undefined ? [] : accountsFor(limits, user, store.now())
  const used = { spent: state.ledger.total, reserved: state.held }
  let maxTokens = budget === undefined ? ceiling.maxTokens : maxTokensAllowed(budget, ceiling, used)
  for (let looked = false; ;) {
    const hold = { ...ceilingAt(ceiling, maxTokens), accounts }
    try {
      return { begun: await store.begin({ ...step, reservation: hold }), maxTokens, hold }
    } catch (error) {
      if (!(error instanceof BudgetError)) throw error
      const freed: boolean = !looked && error.held > 0n && (await endAbandoned(store))
      looked = true
      if (freed) continue
      if (!limits?.fit) throw error
      // Another call may have taken the room in the meantime, so try again with what is left now.
      maxTokens = maxTokensAfter(ceiling, error)
    }
  }
}
