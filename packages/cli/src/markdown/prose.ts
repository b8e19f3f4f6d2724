import { paintSpans, type Painter, type Span, type Style } from '../terminal/style.ts'
import { wrap } from '../terminal/wrap.ts'
import { inlineSpans, type LinkDefinitions } from './inline.ts'
import { closeOpen } from './unfinished.ts'

/** The painter and the link definitions of a text, which all its blocks share. */
export interface Sheet {
  paint: Painter
  definitions: LinkDefinitions
}

/** Some inline syntax takes time by the square of the length, so that longer text is read in pieces. Characters. */
const maxPiece = 2000

/** Renders emphasis, code and links. */
export function proseSpans(source: string, style: Style, { definitions, paint }: Sheet): Span[] {
  return piecesOf(source.trimEnd()).flatMap((piece) => inlineSpans(piece, style, definitions, paint))
}

/** Renders and wraps a finished paragraph or heading. */
export function proseLines(lines: readonly string[], style: Style, columns: number, sheet: Sheet): string[] {
  return wrapped(sourceOf(lines), style, columns, sheet)
}

/** Renders a paragraph that is still being written, with open emphasis, code and links closed. */
export function unfinishedLines(
  lines: readonly string[],
  style: Style,
  columns: number,
  sheet: Sheet,
): { lines: string[]; stable: number } {
  const source = sourceOf(lines)
  const { text, stableEnd } = closeOpen(source)
  // The last line may turn out to be the head of a table, and the last word may grow and move to the next line.
  const lastLine = source.lastIndexOf('\n') + 1
  const end = source.includes('|', lastLine) ? Math.min(stableEnd, lastLine) : stableEnd
  const stable = wrapped(source.slice(0, end), style, columns, sheet).length - 1
  return { lines: wrapped(text, style, columns, sheet), stable }
}

function sourceOf(lines: readonly string[]): string {
  return lines.map((line) => line.trimStart()).join('\n')
}

function wrapped(source: string, style: Style, columns: number, sheet: Sheet): string[] {
  return wrap(proseSpans(source, style, sheet), columns).map((line) => paintSpans(line, sheet.paint).trimEnd())
}

/** Cuts long text after a line break or a space, if there is one. */
function piecesOf(source: string): string[] {
  const pieces: string[] = []
  let start = 0
  while (source.length - start > maxPiece) {
    const head = source.slice(start, start + maxPiece)
    const end = start + (Math.max(head.lastIndexOf('\n'), head.lastIndexOf(' ')) + 1 || maxPiece)
    pieces.push(source.slice(start, end))
    start = end
  }
  pieces.push(source.slice(start))
  return pieces
}
