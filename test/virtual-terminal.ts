import { graphemes, widthOf } from '../packages/cli/src/terminal/width.ts'

/**
 * A terminal in memory, for tests: rows of text, with the scrollback above the window. It implements the sequences that the
 * program may send and throws for any other sequence or control character.
 */
export class VirtualTerminal {
  columns: number
  rows: number
  /** Everything that was written. */
  written = ''
  #lines: string[][] = [[]]
  #row = 0
  #column = 0
  /** The last column is full, so that the next character goes to the next row. */
  #full = false

  constructor(columns: number, rows: number) {
    this.columns = columns
    this.rows = rows
  }

  write(text: string): void {
    this.written += text
    for (const [part] of text.matchAll(/\x1b(?:\[[\d;?<>]*[A-Za-z]|\]8;;[^\x1b]*\x1b\\)|\r|\n|[^\p{Cc}]+|[^]/gu)) {
      if (part === '\r') [this.#column, this.#full] = [0, false]
      else if (part === '\n') this.#down(1, true)
      else if (part.startsWith('\x1b')) this.#sequence(part)
      else if (part !== '\t' && /\p{Cc}|\p{Bidi_Control}/u.test(part)) throw unexpected(part)
      else for (const cluster of graphemes(part)) this.#print(cluster)
    }
  }

  /** The scrollback and the window, without white space at the ends of rows and after the last row. */
  get text(): string {
    return this.#lines
      .map((line) => line.join('').trimEnd())
      .join('\n')
      .trimEnd()
  }

  get cursor(): { row: number; column: number } {
    return { row: this.#row, column: this.#column }
  }

  #print(cluster: string): void {
    const width = widthOf(cluster)
    if (this.#full || this.#column + width > this.columns) {
      this.#column = 0
      this.#down(1, true)
    }
    const line = this.#line(this.#row)
    while (line.length < this.#column) line.push(' ')
    line[this.#column] = cluster
    for (let index = 1; index < width; index++) line[this.#column + index] = ''
    this.#column += width
    this.#full = this.#column >= this.columns
    if (this.#full) this.#column = this.columns - 1
  }

  #sequence(sequence: string): void {
    if (/^\x1b\]8;;|^\x1b\[[\d;]*m$|^\x1b\[\?(?:2026|2004|25)[hl]$|^\x1b\[\?u$|^\x1b\[[<>]\d*u$/.test(sequence)) return
    const count = Number(/\d+/.exec(sequence)?.[0] ?? 1)
    this.#full = false
    if (/^\x1b\[\d*A$/.test(sequence)) this.#row = Math.max(this.#top, this.#row - count)
    else if (/^\x1b\[\d*B$/.test(sequence)) this.#down(count, false)
    else if (/^\x1b\[\d*C$/.test(sequence)) this.#column = Math.min(this.columns - 1, this.#column + count)
    else if (/^\x1b\[[JK]$/.test(sequence)) {
      this.#line(this.#row).length = Math.min(this.#line(this.#row).length, this.#column)
      if (sequence.endsWith('J')) this.#lines.length = this.#row + 1
    } else throw unexpected(sequence)
  }

  #down(count: number, mayScroll: boolean): void {
    this.#full = false
    const bottom = this.#top + this.rows - 1
    this.#row = mayScroll ? this.#row + count : Math.min(bottom, this.#row + count)
    this.#line(this.#row)
  }

  /** The first row of the window. */
  get #top(): number {
    return Math.max(0, this.#lines.length - this.rows)
  }

  #line(row: number): string[] {
    while (this.#lines.length <= row) this.#lines.push([])
    return this.#lines[row] ?? []
  }
}

function unexpected(sequence: string): Error {
  return new Error(`Cannot show ${JSON.stringify(sequence)}: the program must not write it`)
}
