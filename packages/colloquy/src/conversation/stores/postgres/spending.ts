import { nothingSpent } from '../../money/spending.ts'
import type { Account, LimitedAccount, Spending } from '../store.ts'
import { type PostgresConnection, statement } from './connection.ts'

interface SpendingRow {
  picoUsd: string
  tokens: string
  heldPicoUsd: string
  heldTokens: string
  unpriced: number
}

const read = statement(
  'read the spending',
  `SELECT pico_usd::text AS "picoUsd", tokens::text AS tokens, held_pico_usd::text AS "heldPicoUsd",
     held_tokens::text AS "heldTokens", unpriced
   FROM %.spending WHERE user_id = :user AND day = :day`,
)

export async function readSpending(db: PostgresConnection, { user, day }: Account): Promise<Spending> {
  const row = await db.row<SpendingRow>(read, { user, day })
  if (row === undefined) return nothingSpent
  const { picoUsd, tokens, heldPicoUsd, heldTokens, unpriced } = row
  const held = { picoUsd: BigInt(heldPicoUsd), tokens: BigInt(heldTokens) }
  return { picoUsd: BigInt(picoUsd), tokens: BigInt(tokens), held, unpriced }
}

const forget = statement(
  'erase the spending',
  `DELETE FROM %.spending WHERE day <> '' AND day < :before AND held_pico_usd = 0 AND held_tokens = 0`,
)

export async function forgetDays(db: PostgresConnection, before: string): Promise<void> {
  await db.rows(forget, { before })
}

/** The accounts as the database function `enter` takes them, without limits; null if there are none. */
export function accountsJson(accounts: readonly Account[]): string | null {
  return accounts.length === 0 ? null : JSON.stringify(accounts.map(({ user, day }) => ({ user, day })))
}

/** The accounts as the database function `enter` takes them, with the limits to check; null if there are none. */
export function limitedJson(accounts: readonly LimitedAccount[]): string | null {
  const rows = accounts.map(({ user, day, most: { picoUsd, tokens } }) => {
    return { user, day, pico_usd: picoUsd?.toString(), tokens: tokens?.toString() }
  })
  return rows.length === 0 ? null : JSON.stringify(rows)
}

/** The billing data of a reply, as `billingPart()` in money returns it. @param reply its JSON, in SQL. */
export function billingPart(reply: string): string {
  return `json_build_object('message', json_build_object('usage', ${reply}->'message'->'usage'),
    'cost_pico_usd', ${reply}->'cost_pico_usd', 'estimated', ${reply}->'estimated')::text`
}
