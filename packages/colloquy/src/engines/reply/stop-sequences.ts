/**
 * Finds stop sequences in a text that arrives in pieces. A piece that could be the beginning of a sequence is held back until
 * the next one decides.
 *
 * @example
 * ```ts
 * import { StopSequences } from 'colloquy/engines'
 *
 * const stops = new StopSequences(['END'])
 * console.log(stops.push('One E'), stops.push('ND two'), stops.found) // One   END
 * ```
 */
export class StopSequences {
  readonly #sequences: readonly string[]
  #pending = ''
  #found: string | null = null

  /** @param sequences empty ones are ignored. */
  constructor(sequences: readonly string[]) {
    this.#sequences = sequences.filter((sequence) => sequence !== '')
  }

  /** The sequence that was found; null if none was. The text after it is dropped. */
  get found(): string | null {
    return this.#found
  }

  /** The text that is certainly not part of a sequence. */
  push(piece: string): string {
    if (this.#found !== null) return ''
    const text = this.#pending + piece
    const first = this.#firstIn(text)
    if (first !== undefined) {
      this.#pending = ''
      this.#found = first.sequence
      return text.slice(0, first.at)
    }
    const held = this.#longestBeginning(text)
    this.#pending = text.slice(text.length - held)
    return text.slice(0, text.length - held)
  }

  /** The text that was held back, when no more will come. */
  end(): string {
    const rest = this.#pending
    this.#pending = ''
    return rest
  }

  #firstIn(text: string): { at: number; sequence: string } | undefined {
    let first: { at: number; sequence: string } | undefined
    for (const sequence of this.#sequences) {
      const at = text.indexOf(sequence)
      if (at >= 0 && (first === undefined || at < first.at)) first = { at, sequence }
    }
    return first
  }

  /** The length of the longest end of the text with which a sequence begins. */
  #longestBeginning(text: string): number {
    let longest = 0
    for (const sequence of this.#sequences) {
      for (let length = Math.min(sequence.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(sequence.slice(0, length))) longest = length
      }
    }
    return longest
  }
}
