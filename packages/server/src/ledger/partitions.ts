import type { Database } from '../state/database.ts'

const dayMs = 86_400_000

/** Creates the partitions of the table `request` before the first row of a month, and erases old rows. */
export class Partitions {
  readonly #db: Database
  readonly #known = new Set<string>()

  constructor(database: Database) {
    this.#db = database
  }

  /** Makes sure that requests of these times can be written. */
  async prepare(times: Iterable<number>): Promise<void> {
    if (this.#db.kind === 'sqlite') return
    for (const at of times) {
      const month = monthOf(at)
      if (this.#known.has(month)) continue
      await this.#create(month)
      this.#known.add(month)
    }
  }

  /** Erases the requests that began before a time. PostgreSQL erases whole months. Totals stay. */
  async eraseBefore(time: number): Promise<void> {
    if (this.#db.kind === 'sqlite') {
      await this.#db.rows('erase old requests', 'DELETE FROM %.request WHERE started_at < :time', { time })
    } else {
      for (const month of await this.#months()) {
        if (startOf(next(month)) <= time) await this.#db.rows('erase old requests', `DROP TABLE %.request_${month}`)
      }
    }
    await this.#db.rows('erase old budgets', 'DELETE FROM %.account WHERE until < :time AND reserved = 0', { time })
  }

  async #create(month: string): Promise<void> {
    const range = `FOR VALUES FROM (${startOf(month)}) TO (${startOf(next(month))})`
    const sql = `CREATE TABLE IF NOT EXISTS %.request_${month} PARTITION OF %.request ${range}`
    try {
      await this.#db.rows('prepare the ledger', sql)
    } catch (error) {
      // Two servers may create one partition at the same time, which IF NOT EXISTS does not prevent.
      if (!(await this.#months()).includes(month)) throw error
    }
  }

  async #months(): Promise<string[]> {
    const found = await this.#db.rows<{ name: string }>(
      'read the partitions',
      `SELECT relname AS name FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
       WHERE inhparent = to_regclass('%.request')`,
    )
    return found.map(({ name }) => name.slice('request_'.length))
  }
}

/** The month of a time in UTC, such as `202611`. */
function monthOf(at: number): string {
  return new Date(at).toISOString().slice(0, 7).replace('-', '')
}

function startOf(month: string): number {
  return Date.UTC(Number(month.slice(0, 4)), Number(month.slice(4)) - 1)
}

function next(month: string): string {
  return monthOf(startOf(month) + 32 * dayMs)
}
