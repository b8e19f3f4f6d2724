import { rows, type Work } from '../state/database.ts'
import type { Account } from './accounts.ts'

/** An account leaves too little for a request. */
export class BudgetExceeded extends Error {
  override name = 'BudgetExceeded'
  readonly account: string

  constructor(account: string) {
    super('The budget is exceeded')
    this.account = account
  }
}

interface AccountRow {
  spent: number | bigint
  reserved: number | bigint
}

/** An amount to reserve in an account. */
export interface Growth {
  account: Account
  /** The least that is needed. */
  amount: bigint
}

/** Requests to reserve for at once, while that is a small part of what is left: most cost less than they reserve. */
const requestsAhead = 511n
const smallPart = 16n

/**
 * Reserves at least the amounts for an instance, in all accounts or in none. Returns what was reserved. Throws a
 * `BudgetExceeded` if the limit of an account leaves too little.
 */
export function* reserve(instance: string, growths: readonly Growth[], now: number): Work<bigint[]> {
  yield* rows(
    'INSERT INTO %.instance (id, seen_at) VALUES (:instance, :now) ON CONFLICT (id) DO UPDATE SET seen_at = :now',
    { instance, now },
  )
  const reserved = new Map<string, bigint>()
  // In one order, so that two transactions never wait for each other.
  for (const growth of growths.toSorted((a, b) => (a.account.name < b.account.name ? -1 : 1))) {
    reserved.set(growth.account.name, yield* reserveOne(instance, growth))
  }
  return growths.map(({ account }) => reserved.get(account.name)!)
}

function* reserveOne(instance: string, { account, amount }: Growth): Work<bigint> {
  const { name, limit, until } = account
  // It may be larger than a number of the database.
  if (amount > limit) throw new BudgetExceeded(name)
  yield* rows(
    `INSERT INTO %.account (name, spent, reserved, until) VALUES (:name, 0, 0, CAST(:until AS bigint))
     ON CONFLICT (name) DO NOTHING`,
    { name, until },
  )
  const [found] = yield* rows<AccountRow>('SELECT spent, reserved FROM %.account WHERE name = :name', { name })
  const left = limit - BigInt(found!.spent) - BigInt(found!.reserved) - amount
  const part = left > 0n ? left / smallPart : 0n
  const ahead = part < amount * requestsAhead ? part : amount * requestsAhead
  // Another instance may have reserved the rest since it was read.
  for (const wanted of ahead >= amount ? [amount + ahead, amount] : [amount]) {
    const [taken] = yield* rows(
      `UPDATE %.account SET reserved = reserved + :wanted
       WHERE name = :name AND spent + reserved + :wanted <= CAST(:limit AS bigint) RETURNING reserved`,
      { name, wanted, limit },
    )
    if (taken === undefined) continue
    yield* rows(
      `INSERT INTO %.reservation (instance, account, amount) VALUES (:instance, :name, :wanted)
       ON CONFLICT (instance, account) DO UPDATE SET amount = reservation.amount + excluded.amount`,
      { instance, name, wanted },
    )
    return wanted
  }
  throw new BudgetExceeded(name)
}
