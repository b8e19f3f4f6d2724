import type { Span, Style } from './style.ts'
import { clusterWidth, graphemes } from './width.ts'

/** The most columns of a tab. */
const tabWidth = 8

/** Text that is not broken. */
interface Word {
  spans: Span[]
  width: number
  /** The white space before the word. Dropped at a line break. */
  space: Span | undefined
}

/**
 * Breaks styled text into lines of at most `columns`, at white space and between wide characters. The terminal breaks a word
 * that is longer than a line, so that a copied link has no line break.
 */
export function wrap(spans: readonly Span[], columns: number): Span[][] {
  const lines: Span[][] = []
  for (const line of splitLines(spans)) lines.push(...wrapLine(line, columns))
  return lines
}

function wrapLine(spans: readonly Span[], columns: number): Span[][] {
  const lines: Span[][] = []
  let line: Span[] = []
  let used = 0
  for (const { spans: word, width, space } of words(spans)) {
    const gap = space === undefined ? 0 : space.text.length
    if (used > 0 && used + gap + width > columns) {
      lines.push(line)
      line = []
      used = 0
    } else if (space !== undefined && (used > 0 || lines.length === 0)) {
      line.push(space)
      used += gap
    }
    line.push(...word)
    used += width
  }
  lines.push(line)
  return lines
}

function* words(spans: readonly Span[]): Generator<Word> {
  let word: Word = { spans: [], width: 0, space: undefined }
  let afterWide = false
  for (const { text, style } of spans) {
    for (const piece of text.split(/( +)/)) {
      if (piece === '') continue
      if (piece[0] === ' ') {
        if (word.spans.length > 0) yield word
        const before: Span | undefined = word.spans.length === 0 ? word.space : undefined
        word = { spans: [], width: 0, space: { text: (before?.text ?? '') + piece, style } }
        afterWide = false
        continue
      }
      for (const { run, width, wide } of runs(piece)) {
        if ((wide || afterWide) && word.spans.length > 0 && !closesLine(run)) {
          yield word
          word = { spans: [], width: 0, space: undefined }
        }
        append(word, run, width, style)
        afterWide = wide
      }
    }
  }
  if (word.spans.length > 0) yield word
}

/** Splits a word at its wide characters, between which a line may be broken. */
function* runs(piece: string): Generator<{ run: string; width: number; wide: boolean }> {
  let narrow = ''
  let columns = 0
  for (const cluster of graphemes(piece)) {
    const width = cluster === '\t' ? tabWidth : clusterWidth(cluster)
    if (width < 2 || cluster === '\t') {
      narrow += cluster
      columns += width
      continue
    }
    if (narrow !== '') yield { run: narrow, width: columns, wide: false }
    narrow = ''
    columns = 0
    yield { run: cluster, width, wide: true }
  }
  if (narrow !== '') yield { run: narrow, width: columns, wide: false }
}

/** Whether the text begins with punctuation that must not begin a line. */
function closesLine(run: string): boolean {
  return /^[.,;:!?)\]}%'"’”。、，．：；？！）」』】〉》〕％ー…]/u.test(run)
}

function append(word: Word, text: string, width: number, style: Style): void {
  const last = word.spans.at(-1)
  if (last?.style === style) last.text += text
  else word.spans.push({ text, style })
  word.width += width
}

function splitLines(spans: readonly Span[]): Span[][] {
  const lines: Span[][] = [[]]
  for (const { text, style } of spans) {
    text.split('\n').forEach((part, index) => {
      if (index > 0) lines.push([])
      if (part !== '') lines.at(-1)?.push({ text: part, style })
    })
  }
  return lines
}
