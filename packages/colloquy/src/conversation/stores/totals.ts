import { parseReply } from '../history/reply-record.ts'
import { isUnfinished } from '../history/tree.ts'
import { usageOf } from '../money/spending.ts'
import type { ConversationTotals, TreeNode } from './store.ts'

export type CountedReply = Pick<TreeNode, 'number' | 'state' | 'reply'>

export const noTotals: ConversationTotals = { calls: 0, picoUsd: 0n, tokens: 0n, unpriced: 0, estimated: false }

/** Adds a reply to totals, unless it cost nothing. @param reply the JSON of its `ReplyRecord`. */
export function addToTotals(totals: ConversationTotals, reply: string): ConversationTotals {
  const { message, unpaid, estimated = false } = parseReply(reply) ?? {}
  if (message === undefined || unpaid) return totals
  const { picoUsd, tokens } = usageOf(reply)
  return {
    calls: totals.calls + 1,
    picoUsd: totals.picoUsd + (picoUsd ?? 0n),
    tokens: totals.tokens + tokens,
    unpriced: totals.unpriced + (picoUsd === undefined ? 1 : 0),
    estimated: totals.estimated || estimated,
  }
}

/**
 * Adds up the totals of a conversation over several reads. A store saves the totals up to the first reply that has not
 * ended, and continues from there the next time.
 */
export class TotalsCounter {
  /** The totals of all replies so far. */
  totals: ConversationTotals
  /** The number up to which the totals to save count. */
  countedTo: number
  /** Whether nothing was saved, so that erased replies have to be added too. */
  readonly isNew: boolean
  #toSave: ConversationTotals
  #isOpen = false

  /** @param saved the totals as `save()` returned them; null if there are none. */
  constructor(saved: string | null) {
    const { countedTo = 0, totals = noTotals } = saved === null ? {} : parse(saved)
    this.isNew = saved === null
    this.countedTo = countedTo
    this.totals = totals
    this.#toSave = totals
  }

  /** Adds the billing data of an erased reply, before any other reply. */
  addErased(reply: string): void {
    this.totals = addToTotals(this.totals, reply)
    this.#advance(0)
  }

  /** Adds a reply. Numbers must ascend. */
  add({ number, state, reply }: CountedReply): void {
    if (isUnfinished(state)) this.#isOpen = true
    if (reply !== null) this.totals = addToTotals(this.totals, reply)
    this.#advance(number)
  }

  /** Ends the count. All replies up to `last` have been added. */
  end(last: number): void {
    this.#advance(last)
  }

  save(): string {
    const { picoUsd, tokens, ...rest } = this.#toSave
    const totals = { ...rest, picoUsd: String(picoUsd), tokens: String(tokens) }
    return JSON.stringify({ countedTo: this.countedTo, totals })
  }

  #advance(number: number): void {
    if (this.#isOpen || number < this.countedTo) return
    this.countedTo = number
    this.#toSave = this.totals
  }
}

function parse(saved: string): { countedTo: number; totals: ConversationTotals } {
  const { countedTo, totals } = JSON.parse(saved) as { countedTo: number; totals: SavedTotals }
  return { countedTo, totals: { ...totals, picoUsd: BigInt(totals.picoUsd), tokens: BigInt(totals.tokens) } }
}

interface SavedTotals extends Omit<ConversationTotals, 'picoUsd' | 'tokens'> {
  picoUsd: string
  tokens: string
}
