import type { Database } from '../state/database.ts'
import { accountsOf } from './budgets.ts'
import type { KeyRecord } from './keys/keys.ts'
import type { KeyBudget } from './keys/settings.ts'

/** A budget of a key with what is left of it now. Amounts are picodollars. */
export interface SpentBudget {
  budget: KeyBudget
  /** The amount spent in this period; with a budget for each user, by requests without a user. */
  spent: bigint
  /** Set aside for requests in flight. */
  reserved: bigint
}

interface AccountRow {
  name: string
  spent: number | bigint
  reserved: number | bigint
}

/** Reads what keys have spent of their budgets in the current periods. By the id of the key. */
export async function readSpending(
  db: Database,
  keys: readonly KeyRecord[],
  now: number,
): Promise<Map<string, SpentBudget[]>> {
  const wanted = keys.flatMap((key) => accountsOf(key, '', now).map((account) => ({ key, account })))
  if (wanted.length === 0) return new Map()
  const found = await db.rows<AccountRow>(
    'read the budgets',
    'SELECT name, spent, reserved FROM %.account WHERE name IN (SELECT row.name FROM json_rows(:names, name text))',
    { names: JSON.stringify(wanted.map(({ account: { name } }) => ({ name }))) },
  )
  const byName = new Map(found.map((row) => [row.name, row]))
  const spending = new Map<string, SpentBudget[]>()
  for (const { key, account } of wanted) {
    const { spent = 0, reserved = 0 } = byName.get(account.name) ?? {}
    const list = spending.get(key.id) ?? []
    list.push({ budget: account.budget, spent: BigInt(spent), reserved: BigInt(reserved) })
    spending.set(key.id, list)
  }
  return spending
}
