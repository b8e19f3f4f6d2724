import { checkOptionNames } from '../../protocol/json/option-names.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import { checkAmounts } from './budget.ts'
import { dayOf, picoUsdOf } from './spending.ts'
import type { Amounts, LimitedAccount } from '../stores/store.ts'

/**
 * Limits for all conversations of a store together: per day (in UTC), per user, and per user and day. The user is the
 * `metadata.user_id` of the settings or of the turn. Dollars are US dollars at list prices; tokens are those of prompts and
 * replies.
 *
 * Before a request is sent, the most that it can take is reserved until it has ended. So however many run at once, in
 * however many processes, they never spend more than is allowed. All processes of a store must set the same limits. With no
 * limit (`{}`) spending is counted and nothing is refused.
 */
export interface Limits {
  usdPerDay?: number
  tokensPerDay?: number
  usdPerUser?: number
  tokensPerUser?: number
  usdPerUserDay?: number
  tokensPerUserDay?: number
  /** Lowers `max_tokens` to what is left instead of refusing the request. Default false. */
  fit?: boolean
}

const limitNames = Object.keys({
  usdPerDay: true,
  tokensPerDay: true,
  usdPerUser: true,
  tokensPerUser: true,
  usdPerUserDay: true,
  tokensPerUserDay: true,
  fit: true,
} satisfies Record<keyof Limits, true>)

/** Throws an `AnthropicError` if a limit is misspelt or not valid. */
export function checkLimits(limits: Limits): void {
  checkOptionNames(limits, limitNames, 'limits')
  checkAmounts('limits', limits)
}

/**
 * The accounts that a request is charged to: those of its day, of its user, and of its user on that day.
 *
 * Throws an `AnthropicError` if users are limited and the request has none.
 */
export function accountsFor(limits: Limits, user: string, at: number): LimitedAccount[] {
  const { usdPerDay, tokensPerDay, usdPerUser, tokensPerUser, usdPerUserDay, tokensPerUserDay } = limits
  const perUser = { usdPerUser, tokensPerUser, usdPerUserDay, tokensPerUserDay }
  const [limited] = Object.entries(perUser).find(([, amount]) => amount !== undefined) ?? []
  if (user === '' && limited !== undefined) {
    throw new AnthropicError(`Cannot apply limits.${limited}: the request has no metadata.user_id`)
  }
  const day = dayOf(at)
  const everybody = { user: '', day, most: most(usdPerDay, tokensPerDay) }
  if (user === '') return [everybody]
  return [
    everybody,
    { user, day: '', most: most(usdPerUser, tokensPerUser) },
    { user, day, most: most(usdPerUserDay, tokensPerUserDay) },
  ]
}

export function isInDollars({ usdPerDay, usdPerUser, usdPerUserDay }: Limits): boolean {
  return [usdPerDay, usdPerUser, usdPerUserDay].some((amount) => amount !== undefined)
}

function most(usd: number | undefined, tokens: number | undefined): Partial<Amounts> {
  return {
    ...(usd === undefined ? {} : { picoUsd: picoUsdOf(usd) }),
    ...(tokens === undefined ? {} : { tokens: BigInt(tokens) }),
  }
}
