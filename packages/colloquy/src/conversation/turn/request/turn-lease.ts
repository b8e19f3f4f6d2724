import type { ConversationStore } from '../../stores/store.ts'
import type { TurnControl } from '../turn.ts'
import { Journal } from './journal.ts'

interface Held {
  handle: number
  number: number
  /** Extends the lease, and learns whether another process wants the turn to be stopped. */
  journal: Journal
}

/** The conversation of a turn, with the numbers of the replies whose tools run. */
interface LeasedConversation {
  readonly store: ConversationStore
  readonly toolReplies: Set<number>
}

/**
 * The lease of a turn while its tools run: the reply that called them has ended, and the next one has not begun. Other
 * processes see by it that the turn is in flight, and continue the conversation when this process is gone.
 */
export class TurnLease {
  readonly #conversation: LeasedConversation
  readonly #control: TurnControl
  #held: Held | undefined

  constructor(conversation: LeasedConversation, control: TurnControl) {
    this.#conversation = conversation
    this.#control = control
  }

  /** Whether the lease of a reply is that of this turn. */
  has(number: number): boolean {
    return this.#held?.number === number
  }

  /** Holds the lease of a reply that was finished with `continues`, and releases that of the step before. */
  async hold(handle: number, number: number): Promise<void> {
    const journal = new Journal(this.#conversation.store, {
      handle,
      intervalMs: Number.POSITIVE_INFINITY,
      // The tools run on: what they did must be recorded. Without the store the next step fails.
      onError: () => {},
      onStop: () => this.#control.abort(undefined),
    })
    const earlier = this.#held
    this.#held = { handle, number, journal }
    this.#conversation.toolReplies.add(number)
    // Steps may follow each other so fast that no journal of theirs was ever written.
    if (earlier !== undefined && (await this.#release(earlier))) this.#control.abort(undefined)
  }

  /** Undefined if the turn has no lease. */
  release(): Promise<boolean> | undefined {
    const held = this.#held
    this.#held = undefined
    return held && this.#release(held)
  }

  /** Returns whether another process wants the turn to be stopped. */
  async #release(held: Held): Promise<boolean> {
    await held.journal.close()
    this.#conversation.toolReplies.delete(held.number)
    // A lease that cannot be released ends by itself.
    return this.#conversation.store.release(held.handle).catch(() => false)
  }
}
