import { checkOptionNames, checkOwnOptions, describeValue } from '../../protocol/json/option-names.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import { BudgetError, type LimitName } from '../errors.ts'
import { tokensOf } from '../history/reply-record.ts'
import type { Budget } from '../settings.ts'
import type { Amounts } from '../stores/store.ts'
import { type CostCeiling, ceilingAt, noPriceFor } from './cost-ceiling.ts'
import type { TotalUsage } from './ledger.ts'
import { picoUsdOf } from './spending.ts'

const budgetNames = Object.keys({
  usd: true,
  usdPerCall: true,
  tokens: true,
  tokensPerCall: true,
  fit: true,
} satisfies Record<keyof Budget, true>)

/** Throws an `AnthropicError` if a limit is misspelt or not valid. */
export function checkBudget(budget: Budget): void {
  checkOptionNames(budget, budgetNames, 'budget')
  checkOwnOptions(budget, budgetNames, 'budget')
  checkAmounts('budget', budget)
}

/** Throws an `AnthropicError` if an amount is not valid. @param name the option that holds the amounts. */
export function checkAmounts(name: string, { fit, ...amounts }: { fit?: boolean }): void {
  if (fit !== undefined && typeof fit !== 'boolean') {
    throw new AnthropicError(`Cannot set ${name}.fit as it must be true or false: found ${describeValue(fit)}`)
  }
  for (const [member, amount] of Object.entries<unknown>(amounts)) {
    if (amount === undefined) continue
    if (typeof amount !== 'number' || !Number.isFinite(amount) || amount <= 0) {
      throw new AnthropicError(`Cannot set ${name}.${member} as it must be positive: found ${describeValue(amount)}`)
    }
    if (member.startsWith('tokens') && !Number.isInteger(amount)) {
      throw new AnthropicError(`Cannot set ${name}.${member} as it must be a whole number: found ${amount}`)
    }
  }
}

/** The usage of a conversation so far, and the reservations of its requests in flight. */
export interface Used {
  spent: TotalUsage
  reserved: Amounts
}

/**
 * The highest `max_tokens`, up to the requested one, with which a call stays within the budget.
 *
 * Throws `BudgetError` if the call does not fit; with `fit`, if not even the lowest `max_tokens` does.
 */
export function maxTokensAllowed(budget: Budget, ceiling: CostCeiling, { spent, reserved }: Used): number {
  const { usd, usdPerCall, tokens, tokensPerCall, fit = false } = budget
  const { unpriced } = spent.cost
  if (usd !== undefined && unpriced > 0) throw noPriceFor(`${unpriced} earlier ${unpriced === 1 ? 'reply' : 'replies'}`)
  const limits = [
    { limit: 'tokensPerCall', allowed: tokensPerCall, spent: 0n, held: 0n },
    { limit: 'tokens', allowed: tokens, spent: BigInt(tokensOf(spent)), held: reserved.tokens },
    { limit: 'usdPerCall', allowed: usdPerCall, spent: 0n, held: 0n },
    { limit: 'usd', allowed: usd, spent: spent.cost.picoUsd, held: reserved.picoUsd },
  ] as const
  let granted = ceiling.maxTokens
  for (const { limit, allowed: amount, ...used } of limits) {
    if (amount === undefined) continue
    const unit = unitOf(limit)
    const allowed = unit === 'tokens' ? BigInt(amount) : picoUsdOf(amount)
    const worst = ceilingAt(ceiling, ceiling.maxTokens)[unit]
    if (used.spent + used.held + worst <= allowed) continue
    const refusal = new BudgetError(limit, { allowed, ...used, worst })
    if (!fit) throw refusal
    granted = Math.min(granted, maxTokensAfter(ceiling, refusal))
  }
  return granted
}

/** The highest `max_tokens` for which the limit that refused a call still has room. Throws the refusal if there is none. */
export function maxTokensAfter(ceiling: CostCeiling, refusal: BudgetError): number {
  const { limit, allowed, spent, held } = refusal
  const { fixed, perToken } = ceiling[unitOf(limit)]!
  const left = allowed - spent - held - fixed
  const least = perToken * BigInt(ceiling.minTokens)
  if (left < least) throw new BudgetError(limit, { allowed, spent, held, worst: fixed + least })
  return Number(left / perToken)
}

function unitOf(limit: LimitName): keyof Amounts {
  return limit.startsWith('usd') ? 'picoUsd' : 'tokens'
}
