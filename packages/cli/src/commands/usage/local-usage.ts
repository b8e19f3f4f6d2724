import {
  findRequest,
  Keys,
  nearestUse,
  readUsage,
  type Repriced,
  reprice,
  requestObject,
  type Usage,
  type UsageFilter,
  type UsageQuery,
} from '@colloquy/server/access'
import type { Database } from '@colloquy/server/store'
import type { UsageSource } from './usage-source.ts'

/** Usage in a database. */
export class LocalUsage implements UsageSource {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  read(query: UsageQuery): Promise<Usage> {
    return readUsage(this.#db, query)
  }

  async keyNames(): Promise<ReadonlyMap<string, string>> {
    return new Map((await new Keys(this.#db).list()).map(({ id, name }) => [id, name]))
  }

  reprice(filter: UsageFilter): Promise<Repriced> {
    return reprice(this.#db, filter)
  }

  nearest(filter: UsageFilter): Promise<number | undefined> {
    return nearestUse(this.#db, filter)
  }

  async request(id: string): Promise<object | undefined> {
    const row = await findRequest(this.#db, id)
    return row && requestObject(row, await this.keyNames())
  }
}
