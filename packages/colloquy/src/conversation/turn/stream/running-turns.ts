import type { Reply } from '../reply.ts'
import { Turn, type TurnControl } from '../turn.ts'

/** The turns that this process runs, by conversation. */
export class RunningTurns {
  readonly #turns = new Map<string, readonly Turn[]>()
  /** Whether the conversations are being closed, which stops all turns. */
  isClosing = false

  /** Starts a turn, which is listed until it has ended. */
  start(id: string, run: (control: TurnControl) => Promise<Reply>, signal: AbortSignal | undefined): Turn {
    const turn: Turn = new Turn(run, { signal, onEnd: () => this.#remove(id, turn) })
    this.#turns.set(id, [...this.of(id), turn])
    return turn
  }

  /** The turns of a conversation, oldest first. There are several if they branch off or wait for each other. */
  of(id: string): readonly Turn[] {
    return this.#turns.get(id) ?? []
  }

  /** Whether a turn receives the reply with the number, or runs its tools. */
  receives(id: string, number: number): boolean {
    return this.of(id).some(({ replies }) => replies.includes(String(number)))
  }

  /** Stops all turns, which keep what has arrived. Resolves when they have ended. */
  async stopAll(): Promise<void> {
    this.isClosing = true
    const turns = [...this.#turns.values()].flat()
    for (const turn of turns) turn.abort()
    await Promise.allSettled(turns)
  }

  #remove(id: string, turn: Turn): void {
    const others = this.of(id).filter((each) => each !== turn)
    if (others.length > 0) this.#turns.set(id, others)
    else this.#turns.delete(id)
  }
}
