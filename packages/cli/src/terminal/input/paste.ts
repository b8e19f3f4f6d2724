export const pasteStart = '\x1b[200~'
export const pasteEnd = '\x1b[201~'

/** Printable text of this length in one read was not typed. Characters. */
const longRun = 100

/** A paste that is being received. */
export class Paste {
  /** Whether the terminal marks its end. If not, it ends with a pause. */
  readonly isBracketed: boolean
  readonly #pieces: string[] = []
  /** The end of the text so far, which may be the beginning of the end mark. */
  #tail = ''
  #hasLineBreak = false

  constructor(isBracketed: boolean) {
    this.isBracketed = isBracketed
  }

  /** Adds text. Returns the text after the end mark, or undefined if the paste has not ended. */
  add(text: string): string | undefined {
    if (!this.isBracketed) {
      this.#pieces.push(text)
      this.#hasLineBreak ||= /[\r\n]/.test(text)
      return undefined
    }
    // Only the new text is searched, so that a long paste takes time by its length.
    const searched = this.#tail + text
    const end = searched.indexOf(pasteEnd)
    if (end >= 0) {
      this.#pieces.push(searched.slice(0, end))
      this.#tail = ''
      return searched.slice(end + pasteEnd.length)
    }
    const kept = Math.max(0, searched.length - pasteEnd.length + 1)
    this.#pieces.push(searched.slice(0, kept))
    this.#tail = searched.slice(kept)
    return undefined
  }

  /** Whether a paste without brackets has a line break. */
  get hasLineBreak(): boolean {
    return this.#hasLineBreak
  }

  /** The text so far, with its line breaks as line feeds. */
  text(): string {
    const text = (this.#pieces.join('') + this.#tail).replaceAll('\r\n', '\n').replaceAll('\r', '\n')
    // Without marks it is not known whether the last line break belongs to the paste.
    return this.isBracketed ? text : text.replace(/\n+$/, '')
  }
}

/** Whether a read begins a paste of a terminal without bracketed paste: it has several lines, or a long run of text. */
export function isPaste(text: string): boolean {
  if (text.includes('\x1b')) return false
  return /[^\r\n][\r\n]+[^\r\n]/.test(text) || (text.length >= longRun && isPrintable(text))
}

/** Whether a read continues such a paste. In a paste of one line, a line break at the end of a read is the Enter key. */
export function continuesPaste(text: string, paste: Paste): boolean {
  return !text.includes('\x1b') && (paste.hasLineBreak || isPrintable(text) || isPaste(text))
}

/** The long run of printable text at a position. Empty if the text there may have been typed. */
export function longRunAt(text: string, at: number): string {
  longRunPattern.lastIndex = at
  return longRunPattern.exec(text)?.[0] ?? ''
}

const longRunPattern = new RegExp(`[^\\p{Cc}]{${longRun},}`, 'uy')

function isPrintable(text: string): boolean {
  return !/\p{Cc}/u.test(text)
}
