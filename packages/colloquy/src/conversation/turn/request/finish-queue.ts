import type { ConversationStore, FinishStep } from '../../stores/store.ts'

/** Records the ends of replies, and remembers those that the store failed to record. */
export class FinishQueue {
  readonly #store: ConversationStore
  #unrecorded: readonly FinishStep[] = []

  constructor(store: ConversationStore) {
    this.#store = store
  }

  get isEmpty(): boolean {
    return this.#unrecorded.length === 0
  }

  /** Records the end of a reply. If the store fails, remembers it and throws. Returns the reply's number. */
  async finish(step: FinishStep): Promise<number> {
    try {
      return (await this.#store.finish(step)).number
    } catch (error) {
      this.#unrecorded = [...this.#unrecorded, step]
      throw error
    }
  }

  /** Tries again to record what the store failed to record. Throws if it still fails. */
  async retry(): Promise<void> {
    for (const step of this.#unrecorded) {
      await this.#store.finish(step)
      this.#unrecorded = this.#unrecorded.filter((each) => each !== step)
    }
  }
}
