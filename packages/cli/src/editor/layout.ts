import { graphemes, widthOf } from '../terminal/width.ts'
import { isMark, labelOf } from './state.ts'

/** One row as it is shown. */
export interface Row {
  text: string
  /** Where in the text the row begins and ends; a line break at its end is not part of it. */
  start: number
  end: number
}

export interface Layout {
  rows: Row[]
  /** Where the cursor is shown. */
  row: number
  column: number
}

/** Breaks the text into rows, at any grapheme: what is typed stays where it was typed. */
export function layout(text: string, cursor: number, columns: number, pastes: readonly string[]): Layout {
  const rows: Row[] = []
  let row: Row = { text: '', start: 0, end: 0 }
  let used = 0
  let place = { row: 0, column: 0 }
  let at = 0
  for (const cluster of graphemes(text)) {
    if (at === cursor) place = { row: rows.length, column: used }
    const isBreak = cluster === '\n'
    const shown = isMark(cluster) ? labelOf(cluster, pastes) : cluster
    const width = isBreak ? 0 : widthOf(shown)
    if (isBreak || used + width > columns) {
      rows.push({ ...row, end: at })
      row = { text: '', start: isBreak ? at + 1 : at, end: at }
      used = 0
      if (at === cursor && !isBreak) place = { row: rows.length, column: 0 }
    }
    if (!isBreak) {
      row.text += shown
      used += width
    }
    at += cluster.length
  }
  if (at === cursor) place = { row: rows.length, column: used }
  rows.push({ ...row, end: at })
  // A cursor behind a full row stands at the beginning of the next, as the terminal would have it.
  if (place.column >= columns) {
    if (place.row === rows.length - 1) rows.push({ text: '', start: at, end: at })
    place = { row: place.row + 1, column: 0 }
  }
  return { rows, ...place }
}

/** The place in a row that is nearest to the column. */
export function placeAt(row: Row, column: number, text: string, pastes: readonly string[]): number {
  let used = 0
  let at = row.start
  for (const cluster of graphemes(text.slice(row.start, row.end))) {
    const width = widthOf(isMark(cluster) ? labelOf(cluster, pastes) : cluster)
    if (used + width > column) break
    used += width
    at += cluster.length
  }
  return at
}
