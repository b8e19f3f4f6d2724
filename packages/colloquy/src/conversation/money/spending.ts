import { fromUsd } from '../../protocol/models/money.ts'
import { callsIn } from '../../protocol/models/token-counts.ts'
import { BudgetError, type LimitName } from '../errors.ts'
import { type ReplyRecord, tokensOf } from '../history/reply-record.ts'
import type { Account, Amounts, LimitedAccount, Spending } from '../stores/store.ts'

// What every store does with its accounts, whatever it keeps them in.

export interface Used {
  /** Undefined: no known price. */
  picoUsd: bigint | undefined
  tokens: bigint
}

/** What the call used whose reply this stands beside. @param reply JSON of a `ReplyRecord`. */
export function usageOf(reply: string): Used {
  const { message, cost_pico_usd: picoUsd, unpaid } = JSON.parse(reply) as ReplyRecord
  if (message === undefined || unpaid) return { picoUsd: 0n, tokens: 0n }
  const tokens = callsIn(message.usage).reduce((sum, call) => sum + tokensOf(call), 0n)
  return { picoUsd: picoUsd == null ? undefined : BigInt(picoUsd), tokens }
}

/** What stays of a reply that is erased: what its call used and cost. Undefined where none was paid. */
export function billingPart(reply: string | null): string | undefined {
  const { message, cost_pico_usd, estimated, unpaid } = JSON.parse(reply ?? '{}') as ReplyRecord
  if (message === undefined || unpaid) return undefined
  return JSON.stringify({ message: { usage: message.usage }, cost_pico_usd, estimated })
}

/** A change of an account. */
export interface Entry extends Amounts {
  held: Amounts
  unpriced: number
}

/** What is held, nothing being spent yet. */
export function reservationEntry({ picoUsd, tokens }: Amounts): Entry {
  return { picoUsd: 0n, tokens: 0n, held: { picoUsd, tokens }, unpriced: 0 }
}

/** What was held is free again, and what was used is spent. What has no price counts with what was held for it. */
export function settlementEntry({ picoUsd, tokens }: Amounts, used: Used): Entry {
  return {
    picoUsd: used.picoUsd ?? picoUsd,
    tokens: used.tokens,
    held: { picoUsd: -picoUsd, tokens: -tokens },
    unpriced: used.picoUsd === undefined ? 1 : 0,
  }
}

/**
 * What a reply used that was given up, and came after all: what was counted of it then is taken back. Undefined where it
 * came before and was counted.
 */
export function correctionEntry(given: string, reply: string): Entry | undefined {
  if ((JSON.parse(given) as ReplyRecord).unpaid) return undefined
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

/** Throws `BudgetError` where an account would hold more than its limit with this. */
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

/** A limit in dollars: whatever has been divided is rounded to what can be counted. */
export function picoUsdOf(usd: number): bigint {
  return fromUsd(usd.toFixed(12))
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
