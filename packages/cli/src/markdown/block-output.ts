/** Finished lines of a block. */
export interface BlockLines {
  lines: string[]
  /** How many of the first lines stay the same whatever text follows. */
  stable: number
  /** Code starts at the first column, also inside lists and quotes, so that a copy from the screen is the code. */
  isCode: boolean
}

export type Sink = (block: BlockLines) => void

/** Passes the lines of blocks on, with a blank line between two blocks if one is needed. */
export class BlockOutput {
  readonly #sink: Sink
  #isFirst = true
  #hasBlank = false
  #isApart = false
  #needsGap = false

  constructor(sink: Sink) {
    this.#sink = sink
  }

  /** Whether the last block is followed by a blank line. */
  get isApart(): boolean {
    return this.#isApart
  }

  /** A copy with the same position and another sink. */
  copy(sink: Sink): BlockOutput {
    const copy = new BlockOutput(sink)
    copy.#isFirst = this.#isFirst
    copy.#hasBlank = this.#hasBlank
    copy.#isApart = this.#isApart
    copy.#needsGap = this.#needsGap
    return copy
  }

  /** Notes whether the source has a blank line since the last block. */
  setBlank(hasBlank: boolean): void {
    this.#hasBlank = hasBlank
  }

  /** Starts a block. `isApart`: blank lines before and after it, whatever the source has. */
  begin(isApart: boolean): void {
    this.#needsGap = !this.#isFirst && (this.#hasBlank || this.#isApart || isApart)
    this.#hasBlank = false
    this.#isApart = isApart
  }

  /** Sets the block apart that has already begun. */
  setApart(isApart: boolean): void {
    this.#isApart = isApart
  }

  /** As `setApart(true)`, for a block without output so far. */
  beginApart(): void {
    this.#needsGap = !this.#isFirst
    this.#isApart = true
  }

  emit(lines: string[], stable: number = lines.length, isCode = false): void {
    if (lines.length === 0) return
    const hasGap = this.#needsGap
    this.#needsGap = false
    this.#isFirst = false
    this.#sink({ lines: hasGap ? ['', ...lines] : lines, stable: hasGap && stable > 0 ? stable + 1 : stable, isCode })
  }
}
