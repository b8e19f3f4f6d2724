import type { History } from '../history/history.ts'
import type { MessageRecord } from '../stores/store.ts'
import { countPause, type PauseCounts } from './cache-policy.ts'

/** The pauses between the requests of a path, each of which left a reply. */
export class PathPauses {
  #counts: PauseCounts = { short: 0, medium: 0, long: 0 }
  /** How many of the first records the pauses were counted in. */
  #seen = 0
  /** The number of the last of those records. */
  #lastNumber: number | undefined
  /** The first message of the path, as JSON. */
  #first: string | undefined
  #lastRequestAt: number | undefined

  get counts(): PauseCounts {
    return this.#counts
  }

  /** Whether these records begin with those that were counted. False for another branch, or after an earlier message. */
  isContinuedBy(records: readonly MessageRecord[]): boolean {
    return records[0]?.json === this.#first && records[this.#seen - 1]?.number === this.#lastNumber
  }

  /** Counts the pauses since the last call. */
  count(records: readonly MessageRecord[]): void {
    this.#first = records[0]?.json
    for (; this.#seen < records.length; this.#seen++) {
      const { role, createdAt } = records[this.#seen]!
      if (role !== 'assistant') continue
      if (this.#lastRequestAt !== undefined && !isStep(records[this.#seen - 1])) {
        this.#counts = countPause(this.#counts, createdAt - this.#lastRequestAt)
      }
      this.#lastRequestAt = createdAt
    }
    this.#lastNumber = records.at(-1)?.number
  }

  /** The pause before a request that is sent now. Undefined before the first one, and within a turn. */
  before({ last }: History, now: number): number | undefined {
    return this.#lastRequestAt === undefined || isStep(last) ? undefined : now - this.#lastRequestAt
  }
}

/** Whether a message continues a turn. Its steps follow each other at once, and do not show how long a user pauses. */
function isStep(message: MessageRecord | undefined): boolean {
  return message?.role === 'assistant' || (message?.json.includes('"type":"tool_result"') ?? false)
}
