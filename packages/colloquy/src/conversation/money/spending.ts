import { fromUsd } from '../../protocol/models/money.ts'
import { callsIn } from '../../protocol/models/token-counts.ts'
import { BudgetError, type LimitName } from '../errors.ts'
import { parseReply, tokensOf } from '../history/reply-record.ts'
import type { Account, Amounts, LimitedAccount, Spending } from '../stores/store.ts'

// The rules for accounts that all stores share.

export interface Used {
  /** Undefined: no known price. */
  picoUsd: bigint | undefined
  tokens: bigint
}

/** The usage of a request, from the record of its reply. */
export function usageOf(reply: string): Used {
  const { message, cost_pico_usd: picoUsd, unpaid } = parseReply(reply) ?? {}
  if (message === undefined || unpaid) return { picoUsd: 0n, tokens: 0n }
  const tokens = callsIn(message.usage).reduce((sum, call) => sum + BigInt(tokensOf(call)), 0n)
  return { picoUsd: picoUsd == null ? undefined : BigInt(picoUsd), tokens }
}

/** The part of an erased reply's record that is kept: its usage and cost. Undefined if it cost nothing. */
export function billingPart(reply: string | null): string | undefined {
  const { message, cost_pico_usd, estimated, unpaid } = parseReply(reply ?? '{}') ?? {}
  if (message === undefined || unpaid) return undefined
  return JSON.stringify({ message: { usage: message.usage }, cost_pico_usd, estimated })
}

/** A change of an account. */
export interface Entry extends Amounts {
  held: Amounts
  unpriced: number
}

/** Reserves the most that a request can take. */
export function reservationEntry({ picoUsd, tokens }: Amounts): Entry {
  return { picoUsd: 0n, tokens: 0n, held: { picoUsd, tokens }, unpriced: 0 }
}

/**
 * Releases the reservation and charges the actual usage. A request without a known price is charged its whole reservation.
 */
export function settlementEntry({ picoUsd, tokens }: Amounts, used: Used): Entry {
  return {
    picoUsd: used.picoUsd ?? picoUsd,
    tokens: used.tokens,
    held: { picoUsd: -picoUsd, tokens: -tokens },
    unpriced: used.picoUsd === undefined ? 1 : 0,
  }
}

/**
 * The correction for a reply that arrived after it had been marked abandoned: its real usage minus what was charged then.
 * Undefined if that usage was charged already.
 */
export function correctionEntry(given: string, reply: string): Entry | undefined {
  if (parseReply(given)?.unpaid) return undefined
  const [counted, used] = [usageOf(given), usageOf(reply)]
  return {
    picoUsd: (used.picoUsd ?? 0n) - (counted.picoUsd ?? 0n),
    tokens: used.tokens - counted.tokens,
    held: { picoUsd: 0n, tokens: 0n },
    unpriced: Number(used.picoUsd === undefined) - Number(counted.picoUsd === undefined),
  }
}

/** The sum of amounts. */
export function sumOf(amounts: Iterable<Amounts>): Amounts {
  const sum = { picoUsd: 0n, tokens: 0n }
  for (const { picoUsd, tokens } of amounts) {
    sum.picoUsd += picoUsd
    sum.tokens += tokens
  }
  return sum
}

/** Throws `BudgetError` if the account would exceed its limit with this amount. */
export function checkAccount({ most, ...account }: LimitedAccount, now: Spending, worst: Amounts): void {
  for (const unit of ['picoUsd', 'tokens'] as const) {
    const allowed = most[unit]
    const held = now.held[unit]
    if (allowed === undefined || now[unit] + held + worst[unit] <= allowed) continue
    throw new BudgetError(limitName(account, unit), { allowed, spent: now[unit], held, worst: worst[unit] })
  }
}

/** The name of the option that limits the account. */
export function limitName({ user, day }: Account, unit: keyof Amounts): LimitName {
  const kind = unit === 'picoUsd' ? 'usd' : 'tokens'
  if (user === '') return `${kind}PerDay`
  return day === '' ? `${kind}PerUser` : `${kind}PerUserDay`
}

/** Dollars as picodollars. An amount that was divided is rounded to a whole picodollar. */
export function picoUsdOf(usd: number): bigint {
  // From 1e21 on, `toFixed()` writes an exponent.
  return fromUsd(usd < 1e21 ? usd.toFixed(12) : usd)
}

/** The day in UTC. @param at milliseconds since 1970. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

export const nothingSpent: Spending = {
  picoUsd: 0n,
  tokens: 0n,
  held: { picoUsd: 0n, tokens: 0n },
  unpriced: 0,
}
