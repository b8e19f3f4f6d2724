import { graphemes, widthOf } from '../terminal/width.ts'
import { isMark, labelOf } from './state.ts'

/** A row on the screen. */
export interface Row {
  text: string
  /** The range of the text, without a line break at its end. */
  start: number
  end: number
}

export interface Layout {
  rows: Row[]
  /** The position of the cursor. */
  row: number
  column: number
}

/** Breaks the text into rows, at any grapheme, so that typing never moves text that is already on the screen. */
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
  // After a full row the cursor stands at the beginning of the next row.
  if (place.column >= columns) {
    if (place.row === rows.length - 1) rows.push({ text: '', start: at, end: at })
    place = { row: place.row + 1, column: 0 }
  }
  return { rows, ...place }
}

/** The text offset in a row that is nearest to the column. */
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
