import type { ConversationStore, FinishStep } from '../../stores/store.ts'

/** The ends of replies that the store failed to record. */
export class FinishQueue {
  readonly #store: ConversationStore
  #unrecorded: readonly FinishStep[] = []

  constructor(store: ConversationStore) {
    this.#store = store
  }

  get isEmpty(): boolean {
    return this.#unrecorded.length === 0
  }

  add(step: FinishStep): void {
    this.#unrecorded = [...this.#unrecorded, step]
  }

  /** Retries to record them. Throws if the store still fails. */
  async retry(): Promise<void> {
    for (const step of this.#unrecorded) {
      await this.#store.finish(step)
      this.#unrecorded = this.#unrecorded.filter((each) => each !== step)
    }
  }
}
