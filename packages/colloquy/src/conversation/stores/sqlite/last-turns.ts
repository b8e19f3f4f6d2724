/** The last turn of a conversation that this process began. */
export interface LastTurn {
  /** The row id of the conversation, which is used again after a deletion: `createdAt` tells the two apart. */
  row: number
  createdAt: number
  /** The number of the reply, which was the newest message. */
  last: number
  /** Replies with a smaller number had no lease when the turn began. */
  inFlightFrom: number
  handle: number
  /** Whether the reply has ended, and its lease with it. */
  hasEnded: boolean
}

/** Enough for the conversations that one process has in flight. */
const most = 1_000

/**
 * The last turns of a process, so that the next ones need fewer look-ups. Other processes may have written since: a statement
 * that relies on one of them checks that it is still the latest.
 */
export class LastTurns {
  /** By the public id of the conversation, the latest at the end. */
  readonly #turns = new Map<string, LastTurn>()

  get(id: string): LastTurn | undefined {
    return this.#turns.get(id)
  }

  /** The turn of a reply, unless another one was begun since. */
  ofReply({ id, handle }: { id: string; handle: number }): LastTurn | undefined {
    const turn = this.#turns.get(id)
    return turn?.handle === handle ? turn : undefined
  }

  add(id: string, turn: LastTurn): void {
    this.#turns.delete(id)
    this.#turns.set(id, turn)
    if (this.#turns.size > most) this.#turns.delete(this.#turns.keys().next().value!)
  }
}
