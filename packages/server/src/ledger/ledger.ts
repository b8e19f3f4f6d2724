import { StoreError } from 'colloquy/conversation/errors'
import { newId } from 'colloquy/engines'
import type { Database, Work } from '../state/database.ts'
import { type Account, Accounts } from './accounts.ts'
import { Partitions } from './partitions.ts'
import { type DeadInstance, recoverInstance } from './recover.ts'
import type { PricedRow } from './request-row.ts'
import { type Growth, reserve } from './reserve.ts'
import { type SeenInstance, SignsOfLife } from './signs-of-life.ts'
import { UnwrittenRequests } from './unwritten-requests.ts'
import type { Batch, Flight } from './write-batch.ts'
import { type RefusedRequest, writeRefusing } from './write-singly.ts'

/** Options of `Ledger`. */
export interface LedgerOptions {
  /** Milliseconds from the end of a write to the next one. A server that is killed loses the costs since its last write. Default 100. */
  flushMs?: number
  /** The most settled requests that wait for a database that cannot be reached. Default 100,000. */
  maxWaiting?: number
  /** Milliseconds after which the rows of single requests are erased; totals stay. Default 90 days. */
  retainMs?: number
  /** Milliseconds without a sign of life after which another server settles the requests of one. Default 30,000. */
  leaseMs?: number
  /** Called when writing fails, and when it works again. */
  onProblem?: (error: unknown) => void
  /** Called with a request that the database refuses to store although it stores others. It is not in the ledger. */
  onRefused?: (refused: RefusedRequest) => void
  /** Called with a server that ended without settling its requests. */
  onLost?: (instance: DeadInstance) => void
  /** Returns milliseconds since 1970. Default: the machine's clock. */
  now?: () => number
}

const defaults = { flushMs: 100, maxWaiting: 100_000, retainMs: 90 * 86_400_000, leaseMs: 30_000 }
const eraseEveryMs = 3_600_000

/**
 * Records what requests use, in batches off their path, and reserves what they may cost.
 *
 * @example
 * ```ts
 * import { Ledger } from '@colloquy/server/access'
 * import { openServerStore } from '@colloquy/server/store'
 *
 * const store = await openServerStore(':memory:')
 * const ledger = new Ledger(store.database, { flushMs: 1_000 })
 * console.log(ledger.waiting) // 0
 * await ledger.close()
 * await store.close()
 * ```
 */
export class Ledger {
  readonly #db: Database
  readonly #options: LedgerOptions & typeof defaults
  readonly #now: () => number
  readonly #instance = newId('inst_01')
  readonly #accounts = new Accounts()
  readonly #partitions: Partitions
  readonly #requests = new UnwrittenRequests()
  /** Reserving and writing take turns: both change what this instance holds. */
  #turn: Promise<unknown> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  /** Whether the timer is that of the next sign of life, because there is nothing to write. */
  #isResting = false
  /** The write and the maintenance in hand. */
  #ticking: Promise<void> | undefined
  #problem: unknown
  #isClosed = false
  readonly #signs: SignsOfLife
  /** Times of `performance.now()`, which never jumps. */
  #seenAt = -Infinity
  #lookedAt = -Infinity
  #erasedAt = -Infinity

  constructor(database: Database, options: LedgerOptions = {}) {
    this.#db = database
    this.#options = { ...defaults, ...options }
    this.#now = options.now ?? Date.now
    this.#partitions = new Partitions(database)
    this.#signs = new SignsOfLife(this.#options.leaseMs)
    this.#schedule()
  }

  /** The error of the last write, if it failed. */
  get problem(): unknown {
    return this.#problem
  }

  /** The settled requests that are not in the database yet. */
  get waiting(): number {
    return this.#requests.settledCount
  }

  /** Whether so many requests wait for the database that no further one may begin. */
  get isFull(): boolean {
    return this.waiting >= this.#options.maxWaiting
  }

  /**
   * Reserves what a request may cost in each account. Throws a `BudgetExceeded` if an account leaves too little. Returns
   * nothing if the allowances of this instance suffice, and otherwise waits for the database.
   */
  begin(flight: Flight, accounts: readonly Account[]): Promise<void> | undefined {
    const lacking = this.#accounts.take(accounts, flight.reserved)
    if (lacking.length > 0) return this.#beginLater(flight, accounts)
    this.#requests.begin(flight)
    this.#wake()
    return undefined
  }

  async #beginLater(flight: Flight, accounts: readonly Account[]): Promise<void> {
    await this.#inTurn(async () => {
      for (;;) {
        const lacking = this.#accounts.take(accounts, flight.reserved)
        if (lacking.length === 0) return
        // Meanwhile a smaller request may take what was free: then there is another round.
        const amountFor = ({ name }: Account): bigint => this.#accounts.lack(name, flight.reserved)
        await this.#grow(lacking.map((account) => ({ account, amount: amountFor(account) })))
      }
    })
    this.#requests.begin(flight)
    this.#wake()
  }

  async #grow(growths: readonly Growth[]): Promise<void> {
    const work = (): Work<bigint[]> => reserve(this.#instance, growths, this.#now())
    const reserved = await this.#db.transaction('reserve the cost of the request', work)
    for (const [index, { account }] of growths.entries()) this.#accounts.grow(account, reserved[index]!)
    this.#wake()
  }

  /** Records a request that has ended. `cost` replaces its reservation; undefined charges all of it. */
  settle(row: PricedRow, cost: bigint | undefined): void {
    const { accounts, reserved, charged } = this.#requests.settle(row, cost)
    this.#accounts.settle(accounts, reserved, charged)
    this.#wake()
  }

  /** Writes what has been settled. Throws a `StoreError` if the database fails; nothing is lost then. */
  async flush(): Promise<void> {
    await this.#inTurn(() => this.#write())
  }

  /**
   * Writes what has been settled, and releases all that is reserved. Throws a `StoreError` if settled requests are lost because the
   * database fails.
   */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#ticking
    try {
      // The second one returns the allowances that the first one still counted as used.
      await this.flush()
      await this.flush()
      if (this.#requests.inFlightCount > 0) return
      await this.#db.rows('leave', 'DELETE FROM %.instance WHERE id = :id', { id: this.#instance })
    } catch (error) {
      // Another server releases the rest when this one gives no sign of life.
      if (this.waiting > 0) throw withLoss(error, this.waiting)
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => {})
    return result
  }

  /** There is something to write. */
  #wake(): void {
    if (!this.#isResting) return
    this.#isResting = false
    clearTimeout(this.#timer)
    this.#schedule()
  }

  #schedule(delayMs = this.#options.flushMs): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => void (this.#ticking = this.#tick()), delayMs)
    this.#timer.unref()
  }

  /** A server without requests waits for its next sign of life. */
  #scheduleNext(): void {
    const { flushMs, leaseMs } = this.#options
    const restMs = Math.min(this.#seenAt, this.#lookedAt) + leaseMs / 4 - performance.now()
    this.#isResting = restMs > flushMs && hasNoChanges(this.#batch())
    this.#schedule(this.#isResting ? restMs : flushMs)
  }

  async #tick(): Promise<void> {
    this.#isResting = false
    try {
      await this.flush()
      await this.#maintain()
      if (this.#problem !== undefined) this.#options.onProblem?.(undefined)
      this.#problem = undefined
      this.#scheduleNext()
    } catch (error) {
      if (this.#problem === undefined) this.#options.onProblem?.(error)
      this.#problem = error
      this.#signs.clear()
      this.#schedule(Math.max(this.#options.flushMs, 500))
    }
  }

  /** The changes that are not in the database yet. */
  #batch(): Batch {
    return { instance: this.#instance, now: this.#now(), ...this.#requests.changes(), plan: this.#accounts.plan() }
  }

  async #write(): Promise<void> {
    const silentMs = performance.now() - this.#seenAt
    if (silentMs > this.#options.leaseMs) this.#accounts.doubt()
    const batch = this.#batch()
    if (hasNoChanges(batch) && silentMs < this.#options.leaseMs / 4) return
    this.#requests.writing()
    try {
      await this.#partitions.prepare([...timesOf(batch), batch.now])
      for (const refused of await writeRefusing(this.#db, batch)) this.#options.onRefused?.(refused)
    } catch (error) {
      this.#requests.failed(batch)
      throw error
    }
    this.#seenAt = performance.now()
    this.#accounts.planned(batch.plan)
    this.#requests.written(batch)
  }

  /** Settles the requests of servers that died, and erases what is too old. */
  async #maintain(): Promise<void> {
    const at = performance.now()
    const { leaseMs, retainMs } = this.#options
    if (at - this.#lookedAt < leaseMs / 4) return
    this.#lookedAt = at
    const sql = 'SELECT id, seen_at FROM %.instance WHERE id <> :id'
    const others = await this.#db.rows<SeenInstance>('find servers that ended', sql, { id: this.#instance })
    for (const dead of this.#signs.dead(others, at)) await this.#recover(dead)
    if (at - this.#erasedAt < eraseEveryMs) return
    this.#erasedAt = at
    await this.#partitions.eraseBefore(this.#now() - retainMs)
  }

  async #recover(dead: SeenInstance): Promise<void> {
    await this.#partitions.prepare([this.#now(), dead.seen_at])
    const work = (): Work<DeadInstance | undefined> => recoverInstance(this.#db.kind, dead)
    const recovered = await this.#db.transaction('settle the requests of a server that ended', work)
    if (recovered !== undefined) this.#options.onLost?.(recovered)
  }
}

function hasNoChanges({ settled, begun, ended, plan }: Batch): boolean {
  return settled.length + begun.length + ended.length + plan.length === 0
}

/** The times of the rows of a batch, and of those that another server writes if this one dies. */
function timesOf({ settled, begun }: Batch): number[] {
  return [...settled.map(({ row }) => row), ...begun.map(({ origin }) => origin)].map((row) => row.started_at)
}

function withLoss(error: unknown, count: number): unknown {
  if (!(error instanceof StoreError)) return error
  const lost = count === 1 ? 'a settled request is' : `${count} settled requests are`
  return new StoreError(error.code, `${error.message}; ${lost} lost`, { cause: error })
}
