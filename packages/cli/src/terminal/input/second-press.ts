/** Tells the second press of a key from the first. */
export class SecondPress {
  readonly #withinMs: number
  #at = -Infinity

  /** @param withinMs the longest time between the two. */
  constructor(withinMs: number) {
    this.#withinMs = withinMs
  }

  /** Whether this press follows another one in time. A third press is a first one again. */
  press(): boolean {
    const now = performance.now()
    const isSecond = now - this.#at < this.#withinMs
    this.#at = isSecond ? -Infinity : now
    return isSecond
  }

  /** Another key was pressed. */
  forget(): void {
    this.#at = -Infinity
  }
}
