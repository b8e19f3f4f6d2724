import {
  checkAccount,
  type Entry,
  reservationEntry,
  nothingSpent,
  settlementEntry,
  usageOf,
} from '../../money/spending.ts'
import type { Account, Amounts, Reservation, Spending } from '../store.ts'
import type { SqliteConnection } from './database/connection.ts'

export function readSpending(db: SqliteConnection, account: Account): Spending {
  return db.read('read the spending', () => spendingOf(db, account))
}

export async function forgetDays(db: SqliteConnection, before: string): Promise<void> {
  const sql = "DELETE FROM spending WHERE day <> '' AND day < ? AND held_pico_usd = 0 AND held_tokens = 0"
  await db.write('erase the spending', () => db.run(sql, [before]))
}

// The functions below are parts of a transaction.

/** Reserves in all accounts. Throws a `BudgetError` if a limit leaves too little. */
export function reserve(db: SqliteConnection, reservation: Reservation): void {
  for (const account of reservation.accounts) checkAccount(account, spendingOf(db, account), reservation)
  enter(db, reservation.accounts, reservationEntry(reservation))
}

/** Replaces a reservation by the actual usage. @param reply undefined if the usage will never be known: all is charged. */
export function settle(db: SqliteConnection, accounts: readonly Account[], reserved: Amounts, reply?: string): void {
  enter(db, accounts, settlementEntry(reserved, reply === undefined ? reserved : usageOf(reply)))
}

export function enter(db: SqliteConnection, accounts: readonly Account[], entry: Entry): void {
  const sql = `INSERT INTO spending VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    pico_usd = pico_usd + excluded.pico_usd, tokens = tokens + excluded.tokens,
    held_pico_usd = held_pico_usd + excluded.held_pico_usd, held_tokens = held_tokens + excluded.held_tokens,
    unpriced = unpriced + excluded.unpriced`
  const { picoUsd, tokens, held, unpriced } = entry
  for (const { user, day } of accounts) {
    db.run(sql, [user, day, picoUsd, tokens, held.picoUsd, held.tokens, unpriced])
  }
}

function spendingOf(db: SqliteConnection, { user, day }: Account): Spending {
  const statement = db.prepare('SELECT * FROM spending WHERE user_id = ? AND day = ?')
  // A JavaScript number is exact only up to $9,007 in picodollars.
  statement.setReadBigInts(true)
  const row = statement.get(user, day) as Record<string, bigint> | undefined
  if (row === undefined) return nothingSpent
  return {
    picoUsd: row.pico_usd!,
    tokens: row.tokens!,
    held: { picoUsd: row.held_pico_usd!, tokens: row.held_tokens! },
    unpriced: Number(row.unpriced),
  }
}
