import { markUnbilled } from '../history/reply-record.ts'
import { correctionEntry, type Entry } from '../money/spending.ts'
import type { FinishStep } from './store.ts'

export interface LateFinish {
  /** The stored `ReplyRecord`, marked as unpaid because the late reply is billed instead. */
  replaced: string
  /** The difference to enter in the accounts of the turn; undefined if the stored reply had been unpaid already. */
  correction: Entry | undefined
}

/**
 * Decides how to finish a reply that has ended before in another way, because its turn was taken for abandoned. The late
 * reply is added beside the stored one. Undefined if there is nothing to do because the caller is only recovering.
 *
 * @param stored the `ReplyRecord` of the reply as it ended before, as JSON.
 */
export function lateFinish(stored: string, { recovering, reply }: FinishStep): LateFinish | undefined {
  if (recovering) return undefined
  return { replaced: markUnbilled(stored)!, correction: correctionEntry(stored, reply) }
}
