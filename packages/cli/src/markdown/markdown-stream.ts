import { safeText } from '../terminal/safe-text.ts'
import type { Painter } from '../terminal/style.ts'
import { rowsOf } from '../terminal/width.ts'
import { BlockOutput } from './block-output.ts'
import { BlockReader } from './block-reader.ts'
import type { LinkDefinitions } from './inline.ts'
import type { Sheet } from './prose.ts'

export interface MarkdownOptions {
  /** The width of the window. Prose is one column narrower, in case the terminal shows a character wider than expected. */
  columns: number
  paint: Painter
  /** `soft` and `off` leave line breaks to the terminal. Default `word`. */
  wrap?: 'word' | 'soft' | 'off'
}

/** The next change of the screen. */
export interface Frame {
  /** Lines that are finished. */
  done: string[]
  /** Lines below them that may change until the next frame. */
  live: string[]
}

/** A line of marks only. It is not shown before the text shows what it marks. */
const bareMark = /^[\s>]*(?:[-*_=#|`~:+ ]+|\d{1,9}[.)]?)\s*$/
/** A longer unfinished line is not shown until it ends: it would take longer to draw with every character. */
const maxPreview = 4000

/** Turns Markdown that arrives in pieces into lines for the terminal. Each line is finished exactly once. */
export class MarkdownStream {
  readonly #reader: BlockReader
  readonly #wrap: 'word' | 'soft' | 'off'
  #columns: number
  #isResized = false
  #done: string[] = []
  /** The line that has not ended. */
  #partial = ''
  /** Finished lines of a block that has not ended, handed out because the window was full. */
  #ahead: string[] = []

  constructor({ columns, paint, wrap = 'word' }: MarkdownOptions) {
    const sheet: Sheet = { paint, definitions: Object.create(null) as LinkDefinitions }
    const output = new BlockOutput(({ lines }) => {
      for (const line of lines) this.#done.push(line)
    })
    this.#wrap = wrap
    this.#columns = columns
    this.#reader = new BlockReader(sheet, output, this.#textColumns)
  }

  /**
   * Sets the width of the window. It applies to the unfinished block and to later ones; if the beginning of the block was
   * handed out already, to later ones.
   */
  resize(columns: number): void {
    this.#columns = columns
    const isWhole = this.#ahead.length === 0
    // The unfinished line may be the beginning of a block, which then has the old width.
    this.#isResized = !isWhole && this.#partial !== ''
    if (!this.#isResized) this.#reader.resize(this.#textColumns, isWhole)
  }

  #applyResize(): void {
    if (this.#isResized) this.#reader.resize(this.#textColumns, false)
    this.#isResized = false
  }

  get #textColumns(): number {
    return this.#wrap === 'word' ? this.#columns - 1 : Number.MAX_SAFE_INTEGER
  }

  push(text: string): void {
    const [first = '', ...rest] = safeText(text).split('\n')
    // Only the new text is searched for line breaks: the unfinished line may be long.
    this.#partial += first
    for (const next of rest) {
      this.#reader.line(this.#partial)
      this.#applyResize()
      this.#partial = next
    }
  }

  /** The lines finished since the last frame, and the unfinished block in at most `rows` rows of the window. */
  frame(rows: number): Frame {
    const done = this.#take()
    const { lines, stable } = this.#preview()
    const heights = lines.map((line) => rowsOf(line, this.#columns))
    let first = this.#ahead.length
    let height = heights.slice(first).reduce((sum, one) => sum + one, 0)
    // In a block taller than the window the first lines are finished before the block is.
    for (; first < stable && height > rows; first++) {
      const line = lines[first] ?? ''
      this.#ahead.push(line)
      done.push(line)
      height -= heights[first] ?? 0
    }
    for (; first < lines.length - 1 && height > rows; first++) height -= heights[first] ?? 0
    return { done, live: height > rows ? [] : lines.slice(first) }
  }

  /** The rest of the lines. No text may follow. */
  end(): string[] {
    if (this.#partial !== '') this.#reader.line(this.#partial)
    this.#partial = ''
    this.#reader.end()
    return this.#take()
  }

  #take(): string[] {
    const done = this.#done
    this.#done = []
    if (this.#ahead.length === 0 || done.length === 0) return done
    // A line that turned out different from what was handed out is handed out again, so that no text is missing.
    const known = this.#ahead
    let same = 0
    while (same < known.length && same < done.length && known[same] === done[same]) same++
    this.#ahead = same === done.length ? known.slice(same) : []
    return done.slice(same)
  }

  #preview(): { lines: string[]; stable: number } {
    const lines: string[] = []
    let stable = 0
    const preview = this.#reader.preview((block) => {
      if (stable === lines.length) stable += block.stable
      for (const line of block.lines) lines.push(line)
    })
    if (this.#showsPartial) preview.line(this.#partial)
    preview.end()
    return { lines, stable }
  }

  get #showsPartial(): boolean {
    const { length } = this.#partial
    return length > 0 && length <= maxPreview && !(length < 100 && bareMark.test(this.#partial))
  }
}
