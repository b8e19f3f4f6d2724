// Made for the first text that needs it: that takes 10 ms or more, which a start would wait for.
let segmenter: Intl.Segmenter | undefined

/** The ranges of East Asian Width W and F, with the unassigned code points in them. Wide emoji have a property of their own. */
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x3247],
  [0x3250, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1aff0, 0x1b2fb],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
]

/**
 * Text in which every character is a grapheme: Latin, Greek and Cyrillic letters, punctuation, arrows, box drawing, kana, CJK and
 * Hangul syllables, without anything that combines or joins. `Intl.Segmenter` takes many times longer.
 */
const simple =
  /^[\t\n\x20-\x7e\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u058f\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2190-\u21ff\u2500-\u257f\u3000-\u3029\u3030-\u3098\u309b-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff9d]*$/
const printableAscii = /^[\x20-\x7e]*$/
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u
const emoji = /\p{Emoji_Presentation}|\p{Emoji}\ufe0f|\p{RI}\p{RI}/u
/** Escape sequences that do not move the cursor: colours, links and modes. */
const escapeSequence = /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\]8;[^\x07\x1b]*(?:\x07|\x1b\\))/g
const tabStop = 8

/** The width of a line in columns, without escape sequences. Tabs extend to the next multiple of 8. */
export function widthOf(text: string): number {
  if (printableAscii.test(text)) return text.length
  let columns = 0
  for (const cluster of graphemes(withoutEscapes(text))) {
    columns += cluster === '\t' ? tabStop - (columns % tabStop) : clusterWidth(cluster)
  }
  return columns
}

/** The grapheme clusters of a text: what a reader sees as one character each. */
export function* graphemes(text: string): Generator<string> {
  if (simple.test(text)) return yield* text
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  for (const { segment } of segmenter.segment(text)) yield segment
}

/** The number of rows that a line takes in a window. */
export function rowsOf(line: string, columns: number): number {
  return Math.max(1, Math.ceil(widthOf(line) / columns))
}

export function withoutEscapes(text: string): string {
  return text.includes('\x1b') ? text.replace(escapeSequence, '') : text
}

/** Cuts the text to the number of columns. A cut text ends with an ellipsis. */
export function cutTo(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let cut = ''
  let used = 1
  for (const cluster of graphemes(text)) {
    used += clusterWidth(cluster)
    if (used > columns) break
    cut += cluster
  }
  return columns < 1 ? '' : `${cut}…`
}

/** The width of a grapheme cluster in columns. */
export function clusterWidth(cluster: string): number {
  if (cluster.length === 1 && cluster >= ' ' && cluster <= '~') return 1
  if (cluster.length > 1 && emoji.test(cluster)) return 2
  let columns = 0
  for (const character of cluster) columns += characterWidth(character)
  return columns
}

function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return 0
  if (code < 0x300) return code === 0xad ? 0 : 1
  if (zeroWidth.test(character)) return 0
  return isWide(code) || emoji.test(character) ? 2 : 1
}

function isWide(code: number): boolean {
  if (code < 0x1100) return false
  return wideRanges.some(([first, last]) => code >= first && code <= last)
}
