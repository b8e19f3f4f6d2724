import { AnthropicError } from '../../protocol/types/error.ts'
import { dayOf, picoUsdOf } from './spending.ts'
import type { Amounts, LimitedAccount } from '../stores/store.ts'

/**
 * What the conversations of a store may cost together: on one day (in UTC), for one user, and for one user on one day. Who
 * the user is, `metadata.user_id` of the settings or of the turn says. Dollars are US dollars at list prices, tokens those
 * of prompts and replies.
 *
 * Each call is checked before it is sent, by the most that it can take, and holds that until it has ended: however many run
 * at once, in however many processes, they never spend more than is allowed. All of a store's processes must set the same
 * limits; without any (`{}`) what is spent is counted and nothing is refused.
 */
export interface Limits {
  usdPerDay?: number
  tokensPerDay?: number
  usdPerUser?: number
  tokensPerUser?: number
  usdPerUserDay?: number
  tokensPerUserDay?: number
  /** Lowers `max_tokens` to what is left instead of refusing. Default false. */
  fit?: boolean
}

/**
 * The accounts in which a call counts: of its day, of its user, and of its user on its day.
 *
 * Throws an `AnthropicError` where users are limited and the call has none.
 */
export function accountsFor(limits: Limits, user: string, at: number): LimitedAccount[] {
  const { usdPerDay, tokensPerDay, usdPerUser, tokensPerUser, usdPerUserDay, tokensPerUserDay } = limits
  const perUser = { usdPerUser, tokensPerUser, usdPerUserDay, tokensPerUserDay }
  const [limited] = Object.entries(perUser).find(([, amount]) => amount !== undefined) ?? []
  if (user === '' && limited !== undefined) {
    throw new AnthropicError(`Cannot hold limits.${limited}: found no metadata.user_id`)
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
