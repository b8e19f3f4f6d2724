import { rowsOf, widthOf } from './width.ts'

/** Where the text goes: a terminal, or what a test puts in its place. */
export interface Output {
  write(text: string): unknown
  readonly columns?: number
  readonly rows?: number
}

/** What is to be on the screen next. */
export interface Update {
  /** Lines to be written once and for all, above the live ones. */
  done?: readonly string[]
  /** The lines that may change, below everything that is done. */
  live?: readonly string[]
  /** A place in the live lines. Default behind the last. */
  cursor?: Place | undefined
}

export interface Place {
  line: number
  column: number
}

const beginSynchronized = '\x1b[?2026h'
const endSynchronized = '\x1b[?2026l'
const eraseBelow = '\x1b[J'
const start: Place = { line: 0, column: 0 }

/**
 * Writes to the terminal's own screen: what is done scrolls away as any output does and is never touched again; only the
 * live lines at the bottom are painted anew, from the first that changed. It never clears the screen or the scrollback.
 */
export class Screen {
  readonly #output: Output
  #live: readonly string[] = []
  #cursor: Place = start

  constructor(output: Output) {
    this.#output = output
  }

  get columns(): number {
    return this.#output.columns || 80
  }

  get rows(): number {
    return this.#output.rows || 24
  }

  update({ done = [], live = [], cursor = endOf(live) }: Update): void {
    const lines = [...done, ...live]
    // What is done ends with a line break: the next line begins below it.
    if (done.length > 0 && live.length === 0) lines.push('')
    this.#repaint(lines, live, cursor)
    this.#live = [...live]
    this.#cursor = cursor
  }

  /** Leaves the live lines as they are and goes on below them. */
  keep(): void {
    if (this.#live.length > 0) this.#output.write(`${this.#to(endOf(this.#live))}\r\n`)
    this.forget()
  }

  /** Nothing of ours is on the screen any more: someone else has written to it. */
  forget(): void {
    this.#live = []
    this.#cursor = start
  }

  /**
   * Puts `lines` where the live lines are; the last of them are the new live ones. It begins at the first that differs: a
   * line that stays as it is may have left the window, where nothing reaches it.
   */
  #repaint(lines: readonly string[], live: readonly string[], cursor: Place): void {
    const old = this.#live
    let same = 0
    while (same < lines.length && same < old.length && lines[same] === old[same]) same++
    const isSame = same === lines.length && same === old.length
    if (isSame && lines.length === live.length) {
      if (cursor.line !== this.#cursor.line || cursor.column !== this.#cursor.column) this.#paint(this.#to(cursor))
      return
    }
    // The end of the lines that stay has to be written again where lines behind it go.
    const first = Math.max(0, Math.min(same, lines.length - 1))
    const was = old[first]
    const line = lines[first] ?? ''
    const kept = was === undefined || this.#breaks(was) || this.#breaks(line) ? 0 : settledPart(was, line)
    const rest = [line.slice(kept), ...lines.slice(first + 1)].join('\r\n')
    const isOnlyLonger = kept === was?.length && first === old.length - 1
    if (isOnlyLonger && isEnd(old, this.#cursor) && isEnd(live, cursor)) {
      this.#paint(rest)
      return
    }
    const isBelow = was === undefined && first > 0
    const from = isBelow
      ? `${this.#to(endOf(old))}\r\n`
      : this.#to({ line: first, column: widthOf(line.slice(0, kept)) })
    this.#paint(from + eraseBelow + rest + this.#move(live, endOf(live), cursor))
  }

  #breaks(line: string): boolean {
    return rowsOf(line, this.columns) > 1
  }

  #paint(text: string): void {
    // A change inside one row cannot be seen half done; the marks around it would be most of what is sent.
    this.#output.write(
      text.includes(eraseBelow) && text.includes('\n') ? beginSynchronized + text + endSynchronized : text,
    )
  }

  /** From where the cursor is to another place in the lines that are on the screen. */
  #to(place: Place): string {
    return this.#move(this.#live, this.#cursor, place)
  }

  #move(lines: readonly string[], from: Place, to: Place): string {
    if (from.line === to.line && from.column === to.column) return ''
    const down = this.#row(lines, to) - this.#row(lines, from)
    const column = to.column % this.columns
    const vertical = down === 0 ? '' : down > 0 ? `\x1b[${down}B` : `\x1b[${-down}A`
    return `${vertical}\r${column > 0 ? `\x1b[${column}C` : ''}`
  }

  /** The row of a place, counted from the first live line, in a window as wide as it is now. */
  #row(lines: readonly string[], { line, column }: Place): number {
    const above = lines.slice(0, line).reduce((sum, text) => sum + rowsOf(text, this.columns), 0)
    // Behind a full row the terminal waits at its end and does not go on to the next.
    const isAtEnd = column > 0 && column === widthOf(lines[line] ?? '')
    return above + Math.floor((isAtEnd ? column - 1 : column) / this.columns)
  }
}

/** How much of the line stands already, up to a place where no style is open and no character is cut. */
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

function endOf(lines: readonly string[]): Place {
  if (lines.length === 0) return start
  return { line: lines.length - 1, column: widthOf(lines.at(-1) ?? '') }
}

function isEnd(lines: readonly string[], place: Place): boolean {
  const end = endOf(lines)
  return end.line === place.line && end.column === place.column
}
