import { paintSpans, type Painter, type Span, type Style } from '../terminal/style.ts'
import { widthOf } from '../terminal/width.ts'
import { wrap } from '../terminal/wrap.ts'

type Alignment = 'left' | 'center' | 'right'
type Cell = Span[]
type RenderCell = (source: string, style: Style) => Cell

const gap = 2
const narrowestColumn = 6

/** Rows with more cells or characters are shown as text. */
const maxCells = 60
const maxHeadLength = 4000

/** Whether the lines are the head of a table and the `|---|:--:|` below it. */
export function isTableHead(above: string, line: string): boolean {
  if (!above.includes('|') || Math.max(above.length, line.length) > maxHeadLength || !isDelimiterRow(line)) return false
  const cells = cellsOf(above).length
  return cells <= maxCells && cells === cellsOf(line).length
}

/** The rows of a table that is still growing: its head and its last three. */
export function previewRows(lines: readonly string[]): string[] {
  return [...lines.slice(0, 2), ...lines.slice(Math.max(2, lines.length - 3))]
}

function isDelimiterRow(line: string): boolean {
  return line.includes('-') && /^ {0,3}\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/.test(line)
}

/** The cells of a row. `\|` and bars in code do not separate cells. */
function cellsOf(line: string): string[] {
  const cells: string[] = ['']
  let inCode = false
  const inner = line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '')
  for (let index = 0; index < inner.length; index++) {
    const character = inner[index] ?? ''
    if (character === '\\' && inner[index + 1] === '|') {
      cells[cells.length - 1] += '|'
      index++
    } else if (character === '|' && !inCode) cells.push('')
    else {
      if (character === '`') inCode = !inCode
      cells[cells.length - 1] += character
    }
  }
  return cells.map((cell) => cell.trim())
}

/** Draws a table without borders. In a narrow window cells wrap; if the columns do not fit, rows become lists. */
export function tableLines(lines: readonly string[], columns: number, paint: Painter, render: RenderCell): string[] {
  const head = cellsOf(lines[0] ?? '')
  const alignments = cellsOf(lines[1] ?? '').map(alignmentOf)
  const rows = lines.slice(2).map((line) => {
    const cells = cellsOf(line)
    return head.map((_, index) => render(cells[index] ?? '', {}))
  })
  const heads = head.map((cell) => render(cell, { bold: true }))
  const widths = fit(
    heads.map((cell, index) =>
      rows.reduce((most, row) => Math.max(most, spansWidth(row[index] ?? [])), spansWidth(cell)),
    ),
    columns - gap * (head.length - 1),
  )
  if (widths === undefined) return recordLines(heads, rows, columns, paint)
  const rule = widths.map((width) => paint('─'.repeat(width), { dim: true })).join(' '.repeat(gap))
  const draw = (row: readonly Cell[]): string[] => rowLines(row, widths, alignments, paint)
  return [...draw(heads), rule, ...rows.flatMap(draw)]
}

function rowLines(
  row: readonly Cell[],
  widths: readonly number[],
  alignments: readonly Alignment[],
  paint: Painter,
): string[] {
  const cells = widths.map((width, index) => wrap(row[index] ?? [], width))
  const height = Math.max(...cells.map((cell) => cell.length))
  return Array.from({ length: height }, (_, line) =>
    widths
      .map((width, index) => align(cells[index]?.[line] ?? [], width, alignments[index] ?? 'left', paint))
      .join(' '.repeat(gap))
      .trimEnd(),
  )
}

function recordLines(heads: readonly Cell[], rows: readonly Cell[][], columns: number, paint: Painter): string[] {
  return rows.flatMap((row, number) => [
    ...(number === 0 ? [] : ['']),
    ...row.flatMap((cell, index) =>
      wrap([...(heads[index] ?? []), { text: ': ', style: {} }, ...cell], columns).map((line) =>
        paintSpans(line, paint),
      ),
    ),
  ])
}

function align(cell: Cell, width: number, alignment: Alignment, paint: Painter): string {
  const free = Math.max(0, width - spansWidth(cell))
  const left = alignment === 'right' ? free : alignment === 'center' ? Math.floor(free / 2) : 0
  return ' '.repeat(left) + paintSpans(cell, paint) + ' '.repeat(free - left)
}

/** Narrows the widest columns until all fit. Undefined if they cannot. */
function fit(widths: readonly number[], room: number): number[] | undefined {
  const fitted = [...widths]
  let excess = fitted.reduce((sum, width) => sum + width, 0) - room
  while (excess > 0) {
    const widest = Math.max(...fitted)
    if (widest <= narrowestColumn) return undefined
    const index = fitted.indexOf(widest)
    const second = Math.max(narrowestColumn, ...fitted.filter((_, other) => other !== index))
    const cut = Math.min(excess, Math.max(1, widest - second))
    fitted[index] = widest - cut
    excess -= cut
  }
  return fitted
}

function alignmentOf(delimiter: string): Alignment {
  if (delimiter.endsWith(':')) return delimiter.startsWith(':') ? 'center' : 'right'
  return 'left'
}

function spansWidth(spans: readonly Span[]): number {
  return spans.reduce((sum, { text }) => sum + widthOf(text), 0)
}
