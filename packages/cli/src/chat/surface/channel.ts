/** A queue between a producer that pushes and a consumer that loops with `for await`. For input at human speed: it has no limit. */
export class Channel<Value> implements AsyncIterable<Value> {
  readonly #values: Value[] = []
  #wake: (() => void) | undefined

  push(value: Value): void {
    this.#values.push(value)
    this.#wake?.()
  }

  /** Yields each value as it is pushed. The loop must be ended by its body. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Value, void> {
    for (;;) {
      const value = this.#values.shift()
      if (value !== undefined) yield value
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}
