import { BudgetError } from '../../errors.ts'
import type { PostgresConnection } from './connection.ts'
import { limitName, nothingSpent } from '../../money/spending.ts'
import type { Account, Amounts, LimitedAccount, Spending } from '../store.ts'

export async function spendingOf(db: PostgresConnection, { user, day }: Account): Promise<Spending> {
  const sql = `SELECT pico_usd::text AS "picoUsd", tokens::text AS tokens, held_pico_usd::text AS "heldPicoUsd",
    held_tokens::text AS "heldTokens", unpriced FROM %.spending WHERE user_id = $1 AND day = $2`
  const [row] = await db.rows<Row>('read what was spent', sql, [user, day])
  if (row === undefined) return nothingSpent
  const { picoUsd, tokens, heldPicoUsd, heldTokens, unpriced } = row
  const held = { picoUsd: BigInt(heldPicoUsd), tokens: BigInt(heldTokens) }
  return { picoUsd: BigInt(picoUsd), tokens: BigInt(tokens), held, unpriced }
}

export async function forgetDays(db: PostgresConnection, before: string): Promise<void> {
  const sql = `DELETE FROM %.spending WHERE day <> '' AND day < $1 AND held_pico_usd = 0 AND held_tokens = 0`
  await db.rows('forget what was spent', sql, [before])
}

interface Row {
  picoUsd: string
  tokens: string
  heldPicoUsd: string
  heldTokens: string
  unpriced: number
}

/** Accounts as the function `enter` takes them, which checks no limit then; null where there are none. */
export function accountsJson(accounts: readonly Account[]): string | null {
  return accounts.length === 0 ? null : JSON.stringify(accounts.map(({ user, day }) => ({ user, day })))
}

/** Accounts as the function `enter` takes them, with the limits that it is to check; null where there are none. */
export function limitedJson(accounts: readonly LimitedAccount[]): string | null {
  const rows = accounts.map(({ user, day, most: { picoUsd, tokens } }) => {
    return { user, day, pico_usd: picoUsd?.toString(), tokens: tokens?.toString() }
  })
  return rows.length === 0 ? null : JSON.stringify(rows)
}

/**
 * What is held for replies under way is spent, as nobody will know what they used: a part of a statement that ends them.
 * Locks all messages and leases before the first account, as whoever finishes a reply locks them: so none waits for another
 * that waits for it.
 *
 * @param which of the messages `m`, in SQL.
 */
export function spendHeld(which: string): string {
  return `held AS (
    SELECT accounts, held_pico_usd, held_tokens FROM %.message m JOIN %.lease l ON l.message = m.id
    WHERE ${which} AND accounts IS NOT NULL ORDER BY accounts FOR UPDATE OF m, l
  ), spent AS (
    SELECT %.enter(accounts, held_pico_usd, held_tokens, -held_pico_usd, -held_tokens, 0) AS entered
    FROM held, (SELECT count(*) FROM held) AS all_locked
  )`
}

/** What stays of a reply that is erased, as `numbersOf` of the other stores has it. @param reply the JSON, in SQL. */
export function billingPart(reply: string): string {
  return `json_build_object('message', json_build_object('usage', ${reply}->'message'->'usage'),
    'cost_pico_usd', ${reply}->'cost_pico_usd', 'estimated', ${reply}->'estimated')::text`
}

/** The refusal that `enter` raised; undefined where the error is another. */
export function refusalOf(error: unknown): BudgetError | undefined {
  const [, json] = /colloquy: over the limit (\{.*\})/.exec(String((error as { message?: unknown }).message)) ?? []
  if (json === undefined) return undefined
  const { user, day, unit, ...found } = JSON.parse(json) as Account & { unit: keyof Amounts } & Record<string, string>
  const amount = (name: string): bigint => BigInt(found[name]!)
  return new BudgetError(limitName({ user, day }, unit), {
    allowed: amount('allowed'),
    spent: amount('spent'),
    held: amount('held'),
    worst: amount('worst'),
  })
}
