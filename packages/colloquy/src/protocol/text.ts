let segmenter: Intl.Segmenter | undefined

const ellipsis = '…'

/**
 * Cuts a text to a length in UTF-16 units, between graphemes. `…` is the end of a text that was cut.
 *
 * @example
 * ```ts
 * import { cutText } from 'colloquy/protocol'
 *
 * console.log(cutText('A family: 👨‍👩‍👧', 12)) // A family:…
 * ```
 */
export function cutText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text
  return text.slice(0, graphemeStart(text, maxLength - ellipsis.length)).trimEnd() + ellipsis
}

// A longer grapheme is not a letter or an emoji that anybody writes, but hundreds of accents on one letter.
const maxGrapheme = 32

/**
 * The last index up to `index` at which a grapheme begins, so that a cut there divides neither a letter and its accents nor
 * an emoji. Inside a grapheme of more than 32 UTF-16 units it is the start of a code point.
 */
export function graphemeStart(text: string, index: number): number {
  if (index <= 0 || index >= text.length) return Math.max(0, Math.min(index, text.length))
  if (isPlain(text.charCodeAt(index - 1)) && isPlain(text.charCodeAt(index))) return index
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  // Only a part of the text, because `segment()` copies it.
  const from = Math.max(0, index - 256)
  const start = from + segmenter.segment(text.slice(from, index + maxGrapheme)).containing(index - from)!.index
  if (index - start <= maxGrapheme) return start
  return /^[\ud800-\udbff][\udc00-\udfff]/.test(text.slice(index - 1, index + 1)) ? index - 1 : index
}

/** Whether a UTF-16 unit is a printable character of ASCII: a grapheme begins before each, and between two of them. */
function isPlain(unit: number): boolean {
  return unit >= 0x20 && unit < 0x7f
}

/** The text in one line: control characters and runs of white space become one space. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
}

/** Replaces NUL and halves of surrogate pairs, which databases reject, by U+FFFD. */
export function storableText(text: string): string {
  const wellFormed = text.toWellFormed()
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '\ufffd') : wellFormed
}
