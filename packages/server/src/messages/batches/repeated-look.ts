/** Looks for work when it is woken, and some time after each look. Never twice at once. */
export class RepeatedLook {
  readonly #look: () => Promise<void>
  readonly #pollMs: number
  #timer: ReturnType<typeof setTimeout> | undefined
  #looking: Promise<void> | undefined
  #isWoken = false
  #isClosed = false

  /** @param pollMs milliseconds from the end of a look to the next one. */
  constructor(look: () => Promise<void>, pollMs: number) {
    this.#look = look
    this.#pollMs = pollMs
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Looks at once, or once more if a look is in hand. */
  wake(): void {
    if (this.#isClosed) return
    this.#isWoken = true
    this.#looking ??= this.#lookWhileWoken()
  }

  /** Begins no further look. Resolves when the one in hand has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#isWoken = false
    clearTimeout(this.#timer)
    await this.#looking
  }

  async #lookWhileWoken(): Promise<void> {
    clearTimeout(this.#timer)
    while (this.#isWoken) {
      this.#isWoken = false
      // A database that does not answer now is tried at the next look.
      await this.#look().catch(() => {})
    }
    this.#looking = undefined
    if (this.#isClosed) return
    this.#timer = setTimeout(() => this.wake(), this.#pollMs)
    this.#timer.unref?.()
  }
}
