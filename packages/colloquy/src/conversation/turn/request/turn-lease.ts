import type { ConversationStore } from '../../stores/store.ts'
import type { TurnControl } from '../turn.ts'
import { Journal } from './journal.ts'

interface Held {
  handle: number
  number: number
  /** Extends the lease, and learns whether another process wants the turn to be stopped. */
  journal: Journal
}

/** The conversation, as far as it knows which replies have a lease while their tools run. */
export interface LeaseHolder {
  readonly store: ConversationStore
  leased(number: number): void
  released(number: number): void
}

/**
 * The lease of a turn while its tools run: the reply that called them has ended, and the next one has not begun. Other
 * processes see by it that the turn is in flight, and continue the conversation when this process is gone.
 */
export class TurnLease {
  readonly #holder: LeaseHolder
  readonly #control: TurnControl
  #held: Held | undefined

  constructor(holder: LeaseHolder, control: TurnControl) {
    this.#holder = holder
    this.#control = control
  }

  /** Whether the lease of a reply is that of this turn. */
  has(number: number): boolean {
    return this.#held?.number === number
  }

  /** Holds the lease of a reply that was finished with `continues`, and releases that of the step before. */
  async hold(handle: number, number: number): Promise<void> {
    const journal = new Journal(this.#holder.store, {
      handle,
      intervalMs: Number.POSITIVE_INFINITY,
      // The tools run on: what they did must be recorded. Without the store the next step fails.
      onError: () => {},
      onStop: () => this.#control.abort(undefined),
    })
    const earlier = this.#held
    this.#held = { handle, number, journal }
    this.#holder.leased(number)
    await this.#release(earlier)
  }

  async release(): Promise<void> {
    const held = this.#held
    this.#held = undefined
    await this.#release(held)
  }

  async #release(held: Held | undefined): Promise<void> {
    if (held === undefined) return
    await held.journal.close()
    this.#holder.released(held.number)
    // A lease that cannot be released ends by itself.
    await this.#holder.store.release(held.handle).catch(() => {})
  }
}
