import type { SqliteConnection } from './connection.ts'
import {
  checkAccount,
  type Entry,
  reservationEntry,
  nothingSpent,
  settlementEntry,
  usageOf,
} from '../../money/spending.ts'
import type { Account, Amounts, Reservation, Spending } from '../store.ts'

// Each of these is a part of the transaction around it.

/** Throws `BudgetError` where a limit leaves less than is to be held. */
export function hold(db: SqliteConnection, held: Reservation): void {
  for (const account of held.accounts) checkAccount(account, spendingOf(db, account), held)
  enter(db, held.accounts, reservationEntry(held))
}

/** The reply is under way no more. @param reply undefined where nobody will know what it used: it is what was held. */
export function settle(db: SqliteConnection, accounts: readonly Account[], held: Amounts, reply?: string): void {
  enter(db, accounts, settlementEntry(held, reply === undefined ? held : usageOf(reply)))
}

export function enter(db: SqliteConnection, accounts: readonly Account[], entry: Entry): void {
  const sql = db.sql(
    `INSERT INTO spending VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
       pico_usd = pico_usd + excluded.pico_usd, tokens = tokens + excluded.tokens,
       held_pico_usd = held_pico_usd + excluded.held_pico_usd, held_tokens = held_tokens + excluded.held_tokens,
       unpriced = unpriced + excluded.unpriced`,
  )
  const { picoUsd, tokens, held, unpriced } = entry
  for (const { user, day } of accounts) {
    sql.run(user, day, picoUsd, tokens, held.picoUsd, held.tokens, unpriced)
  }
}

export function spendingOf(db: SqliteConnection, { user, day }: Account): Spending {
  const sql = db.sql('SELECT * FROM spending WHERE user_id = ? AND day = ?')
  // A number holds no more than $9,007 to the picodollar.
  sql.setReadBigInts(true)
  const row = sql.get(user, day) as Record<string, bigint> | undefined
  if (row === undefined) return nothingSpent
  return {
    picoUsd: row.pico_usd!,
    tokens: row.tokens!,
    held: { picoUsd: row.held_pico_usd!, tokens: row.held_tokens! },
    unpriced: Number(row.unpriced),
  }
}

export function forgetDays(db: SqliteConnection, before: string): void {
  db.sql("DELETE FROM spending WHERE day <> '' AND day < ? AND held_pico_usd = 0 AND held_tokens = 0").run(before)
}
