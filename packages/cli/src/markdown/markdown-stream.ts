import { withoutControls, type Painter } from '../terminal/style.ts'
import { rowsOf } from '../terminal/width.ts'
import { BlockReader, type Sheet } from './block-reader.ts'

export interface MarkdownOptions {
  /** How wide the window is. Prose is broken one column earlier: a character that the terminal finds wider still fits. */
  columns: number
  paint: Painter
  /** `soft` and `off` leave the breaking to the terminal. Default `word`. */
  wrap?: 'word' | 'soft' | 'off'
}

/** What the screen shows next: lines that are finished for good, then those that may change until the next frame. */
export interface Frame {
  done: string[]
  live: string[]
}

/** A line that is nothing but a mark: not shown before it is clear what it marks. */
const bareMark = /^[\s>]*(?:[-*_=#|`~:+ ]+|\d{1,9}[.)]?)\s*$/

/** Turns Markdown that comes in pieces into lines for the terminal, each of which is finished exactly once. */
export class MarkdownStream {
  readonly #reader: BlockReader
  readonly #wrap: 'word' | 'soft' | 'off'
  #columns: number
  #isResized = false
  #done: string[] = []
  /** The line that has no end yet. */
  #partial = ''
  /** Lines handed out as done before their block was, because the window was full. */
  #ahead: string[] = []

  constructor({ columns, paint, wrap = 'word' }: MarkdownOptions) {
    const sheet: Sheet = { paint, definitions: {} }
    this.#wrap = wrap
    this.#columns = columns
    this.#reader = new BlockReader(sheet, ({ lines }) => this.#done.push(...lines), this.#textColumns)
  }

  /** The window has another width: the blocks to come are broken for it. */
  resize(columns: number): void {
    this.#columns = columns
    // The line that is being written may be the beginning of a block.
    this.#isResized = true
    if (this.#partial === '') this.#applyResize()
  }

  #applyResize(): void {
    if (this.#isResized) this.#reader.resize(this.#textColumns)
    this.#isResized = false
  }

  get #textColumns(): number {
    return this.#wrap === 'word' ? this.#columns - 1 : Number.MAX_SAFE_INTEGER
  }

  push(text: string): void {
    const lines = (this.#partial + withoutControls(text)).split('\n')
    this.#partial = lines.pop() ?? ''
    for (const line of lines) {
      this.#reader.line(line)
      this.#applyResize()
    }
  }

  /** The lines finished since the last frame, and the unfinished block in at most `rows` rows of the window. */
  frame(rows: number): Frame {
    const done = this.#take()
    const { lines, stable } = this.#preview()
    const behind = lines.slice(this.#ahead.length)
    const height = (): number => behind.reduce((sum, line) => sum + rowsOf(line, this.#columns), 0)
    // A block taller than the window: its first lines can no longer change, so they are finished before it is.
    for (let left = stable - this.#ahead.length; left > 0 && height() > rows; left--) {
      const line = behind.shift() ?? ''
      this.#ahead.push(line)
      done.push(line)
    }
    while (behind.length > 1 && height() > rows) behind.shift()
    return { done, live: height() > rows ? [] : behind }
  }

  /** The rest: nothing follows. */
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
    // Should a line have turned out otherwise than it was shown, it is shown again: twice is better than not at all.
    const known = this.#ahead
    let same = 0
    while (same < known.length && same < done.length && known[same] === done[same]) same++
    this.#ahead = same === done.length ? known.slice(same) : []
    return done.slice(same)
  }

  #preview(): { lines: string[]; stable: number } {
    const lines: string[] = []
    let stable = 0
    const preview = this.#reader.preview((output) => {
      if (stable === lines.length) stable += output.stable
      lines.push(...output.lines)
    })
    if (this.#partial !== '' && !bareMark.test(this.#partial)) preview.line(this.#partial)
    preview.end()
    return { lines, stable }
  }
}
