import { safePainted } from './safe-text.ts'
import { rowsOf, widthOf } from './width.ts'

/** A terminal to write to. */
export interface Output {
  write(text: string): unknown
  readonly columns?: number
  readonly rows?: number
}

/** The next change of the screen. */
export interface Update {
  /** Finished lines, written once above the live ones. */
  done?: readonly string[]
  /** Lines that may change later. They replace the live lines on the screen. */
  live?: readonly string[]
  /** A position in the live lines. Default: after the last one. */
  cursor?: Position | undefined
}

export interface Position {
  line: number
  column: number
}

const beginSynchronized = '\x1b[?2026h'
const endSynchronized = '\x1b[?2026l'
const eraseBelow = '\x1b[J'
/** The same at the beginning of a line: what is erased from the corner of the window stays in the scrollback of tmux. */
const eraseLines = `\x1b[K\x1b[C${eraseBelow}\r`
const start: Position = { line: 0, column: 0 }

/**
 * Writes finished lines, which scroll away like any output, and repaints the live lines at the bottom from the first that
 * changed. It never clears the screen or the scrollback.
 */
export class Screen {
  readonly #output: Output
  #live: readonly string[] = []
  #cursor: Position = start

  constructor(output: Output) {
    this.#output = output
  }

  get columns(): number {
    return this.#output.columns || 80
  }

  get rows(): number {
    return this.#output.rows || 24
  }

  /** Shows the lines without anything but text, colours and links. */
  update({ done = [], live: unsafeLive = [], cursor }: Update): void {
    const live = unsafeLive.map(safePainted)
    this.#show(done.map(safePainted), live, cursor ?? endOf(live))
  }

  #show(done: readonly string[], live: readonly string[], cursor: Position): void {
    const lines = [...done, ...live]
    // Finished lines end with a line break, so that the next output begins below them.
    if (done.length > 0 && live.length === 0) lines.push('')
    this.#repaint(lines, live, cursor)
    this.#live = live
    this.#cursor = cursor
  }

  /** Scrolls everything out of the window, so that it can still be read in the scrollback. */
  scrollAway(): void {
    this.#show([], [], start)
    this.#output.write(`${'\r\n'.repeat(this.rows)}\x1b[H`)
    this.forget()
  }

  /** Forgets the live lines, after another program has written to the terminal. */
  forget(): void {
    this.#live = []
    this.#cursor = start
  }

  /**
   * Replaces the live lines by `lines`, of which the last are the new live ones. Starts at the first line that differs: an
   * unchanged line may have scrolled out of the window, where it cannot be written.
   */
  #repaint(lines: readonly string[], live: readonly string[], cursor: Position): void {
    const old = this.#live
    let same = 0
    while (same < lines.length && same < old.length && lines[same] === old[same]) same++
    const isSame = same === lines.length && same === old.length
    if (isSame && lines.length === live.length) {
      if (cursor.line !== this.#cursor.line || cursor.column !== this.#cursor.column) this.#paint(this.#to(cursor))
      return
    }
    // If only lines at the end are removed, the line before them is written again.
    const first = Math.max(0, Math.min(same, lines.length - 1))
    const was = old[first]
    const line = lines[first] ?? ''
    const kept = was === undefined || this.#breaks(was) || this.#breaks(line) ? 0 : this.#keptPart(was, line)
    const rest = [line.slice(kept), ...lines.slice(first + 1)].join('\r\n')
    const isOnlyLonger = kept === was?.length && first === old.length - 1
    if (isOnlyLonger && isEnd(old, this.#cursor) && isEnd(live, cursor)) {
      this.#paint(rest)
      return
    }
    const isBelow = was === undefined && first > 0
    const column = widthOf(line.slice(0, kept))
    const from = isBelow ? `${this.#to(endOf(old))}\r\n` : this.#to({ line: first, column })
    this.#paint(from + (column === 0 ? eraseLines : eraseBelow) + rest + this.#move(live, endOf(live), cursor))
  }

  /** The length of the line that need not be written again. The cursor cannot be placed after a full row. */
  #keptPart(was: string, line: string): number {
    const settled = settledPart(was, line)
    return widthOf(line.slice(0, settled)) < this.columns ? settled : 0
  }

  #breaks(line: string): boolean {
    return rowsOf(line, this.columns) > 1
  }

  #paint(text: string): void {
    // A change within one row is not visible in part, so it needs no marks for a synchronized update.
    this.#output.write(
      text.includes(eraseBelow) && text.includes('\n') ? beginSynchronized + text + endSynchronized : text,
    )
  }

  /** Moves the cursor to another position in the live lines. */
  #to(position: Position): string {
    return this.#move(this.#live, this.#cursor, position)
  }

  #move(lines: readonly string[], from: Position, to: Position): string {
    if (from.line === to.line && from.column === to.column) return ''
    const down = this.#row(lines, to) - this.#row(lines, from)
    const column = to.column % this.columns
    const vertical = down === 0 ? '' : down > 0 ? `\x1b[${down}B` : `\x1b[${-down}A`
    return `${vertical}\r${column > 0 ? `\x1b[${column}C` : ''}`
  }

  /** The row of a position, counted from the first live line, at the current width of the window. */
  #row(lines: readonly string[], { line, column }: Position): number {
    const above = lines.slice(0, line).reduce((sum, text) => sum + rowsOf(text, this.columns), 0)
    // After the last column of a row the terminal's cursor stays there until the next character.
    const isAtEnd = column > 0 && column === widthOf(lines[line] ?? '')
    return above + Math.floor((isAtEnd ? column - 1 : column) / this.columns)
  }
}

/** The length of the common beginning of two lines, up to a point without open style and between two characters. */
function settledPart(was: string, line: string): number {
  let same = 0
  while (same < was.length && same < line.length && was[same] === line[same]) same++
  let settled = 0
  for (const [sequence, plain] of line
    .slice(0, same)
    .matchAll(/(?:\x1b\[[\d;]*m|\x1b\]8;;[^\x1b]*\x1b\\)|([^\x1b]+)/g)) {
    if (plain === undefined ? sequence !== '\x1b[0m' && sequence !== '\x1b]8;;\x1b\\' : false) return settled
    settled += sequence.length
  }
  if (settled === 0) return 0
  const boundary = /[\x20-\x7e]$/.test(line.slice(0, settled)) && /^(?:[\x20-\x7e\x1b]|$)/.test(line.slice(settled))
  return boundary ? settled : line.lastIndexOf(' ', settled - 1) + 1
}

function endOf(lines: readonly string[]): Position {
  if (lines.length === 0) return start
  return { line: lines.length - 1, column: widthOf(lines.at(-1) ?? '') }
}

function isEnd(lines: readonly string[], position: Position): boolean {
  const end = endOf(lines)
  return end.line === position.line && end.column === position.column
}
