import { clusterWidth, graphemes, widthOf } from '../terminal/width.ts'
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
  /** Whether the first row is the first of the text. */
  hasStart: boolean
  /** The position of the cursor. */
  row: number
  column: number
}

/** The lines above and below the cursor's that are laid out: more than a window shows. */
const reach = 200

/**
 * Breaks the lines around the cursor into rows, at any grapheme, so that typing never moves text that is already on the
 * screen. Lines far from the cursor are left out, so that a long text does not slow every key.
 */
export function layout(text: string, cursor: number, columns: number, pastes: readonly string[]): Layout {
  const start = lineBreakFrom(text, cursor, -1)
  const near = layoutAll(text.slice(start, lineBreakFrom(text, cursor, 1)), cursor - start, columns, pastes)
  const rows = near.rows.map((row) => ({ ...row, start: row.start + start, end: row.end + start }))
  return { ...near, rows, hasStart: start === 0 }
}

/** The beginning of the line `reach` lines above the cursor, or the end of the line as far below. */
function lineBreakFrom(text: string, cursor: number, step: -1 | 1): number {
  let at = cursor
  for (let lines = 0; lines <= reach; lines++) {
    const found =
      step < 0 ? (at > 0 ? text.lastIndexOf('\n', at - 1) : -1) : text.indexOf('\n', at + (lines > 0 ? 1 : 0))
    if (found < 0) return step < 0 ? 0 : text.length
    at = found
  }
  return step < 0 ? at + 1 : at
}

function layoutAll(text: string, cursor: number, columns: number, pastes: readonly string[]): Omit<Layout, 'hasStart'> {
  const rows: Row[] = []
  let row: Row = { text: '', start: 0, end: 0 }
  let used = 0
  let place = { row: 0, column: 0 }
  let at = 0
  for (const cluster of graphemes(text)) {
    if (at === cursor) place = { row: rows.length, column: used }
    const isBreak = cluster === '\n'
    const isPaste = isMark(cluster)
    const shown = isPaste ? labelOf(cluster, pastes) : cluster
    const width = isBreak ? 0 : isPaste ? widthOf(shown) : clusterWidth(shown)
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
    const width = isMark(cluster) ? widthOf(labelOf(cluster, pastes)) : clusterWidth(cluster)
    if (used + width > column) break
    used += width
    at += cluster.length
  }
  return at
}
