/** Joining fewer leaves V8 more objects to move, joining more keeps the pieces alive for longer. */
const maxPieces = 64

/**
 * Collects a text that arrives in pieces and is read later. As a string that grows, each piece would stay an object of its own
 * until the text is read, which costs a third of the time of a stream.
 */
export class TextPieces {
  #text = ''
  #pieces: string[] = []

  add(piece: string): void {
    if (this.#pieces.push(piece) === maxPieces) this.#join()
  }

  get text(): string {
    if (this.#pieces.length > 0) this.#join()
    return this.#text
  }

  /** The text. Begins again with none. */
  take(): string {
    const { text } = this
    this.#text = ''
    return text
  }

  #join(): void {
    this.#text += this.#pieces.join('')
    this.#pieces = []
  }
}
