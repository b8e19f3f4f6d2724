import { safeText } from '../../terminal/safe-text.ts'
import { widthOf } from '../../terminal/width.ts'
import { lineOf, tableCells } from './formula-text.ts'
import type { MathNode } from './math-tree.ts'
import { drawTex } from './tex-reader.ts'

/** The marks of matrices in a line: private-use characters, which are not read from a source. */
const firstMark = 0xe100
const marks = /([\ue100-\ue1ff])/
const privateUse = /[\ue000-\uf8ff]/
/** Raised characters, which stand beside the first row of a matrix. */
const raised = /^[\u00b2\u00b3\u00b9\u2070-\u207f\u1d2c-\u1d6a\u1d9c-\u1dbf]+/

/** The parts of brackets: of the first, the middle, other and the last rows. */
const brackets: Readonly<Record<string, readonly [first: string, middle: string, other: string, last: string]>> = {
  '(': ['⎛', '⎜', '⎜', '⎝'],
  ')': ['⎞', '⎟', '⎟', '⎠'],
  '[': ['⎡', '⎢', '⎢', '⎣'],
  ']': ['⎤', '⎥', '⎥', '⎦'],
  '{': ['⎧', '⎨', '⎪', '⎩'],
  '}': ['⎫', '⎬', '⎪', '⎭'],
  '|': ['│', '│', '│', '│'],
  '‖': ['║', '║', '║', '║'],
  '': ['', '', '', ''],
}

/**
 * Draws a formula with matrices or cases in several lines. Undefined if it has none, or if text cannot show it so: then
 * `formulaText()` may write it in one line.
 */
export function formulaGrid(tex: string): string[] | undefined {
  // Most formulas have no table, and need not be read twice.
  if (!tex.includes('\\\\') || privateUse.test(tex)) return undefined
  return drawTex(tex, true, (tree) => {
    const blocks: string[][] = []
    const line = safeText(lineOf([withMarks(tree, blocks)], 0)).trim()
    if (blocks.length === 0 || blocks.length > 256 || line.includes('\n')) throw new RangeError()
    return joined(line.split(marks), blocks).map((row) => row.trimEnd())
  })
}

/** The tree with a mark in place of each table between brackets, whose rows are added to the blocks. */
function withMarks(node: MathNode, blocks: string[][]): MathNode {
  const { type, children = [] } = node
  const [open, table, close] = children
  if (type === 'mrow' && children.length === 3 && table?.type === 'mtable' && (table.children?.length ?? 0) > 1) {
    blocks.push(bracketed(fenceOf(open!), rowsOf(table), fenceOf(close!)))
    return { type: 'mtext', text: String.fromCharCode(firstMark + blocks.length - 1) }
  }
  const [base, ...rest] = children
  if (type === 'msup' || type === 'msub' || type === 'msubsup')
    return base === undefined ? node : { ...node, children: [withMarks(base, blocks), ...rest] }
  if (type !== undefined && type !== 'math' && type !== 'mrow' && type !== 'mstyle') return node
  return { ...node, children: children.map((child) => withMarks(child, blocks)) }
}

function fenceOf({ type, children = [], text }: MathNode): string {
  if (type !== 'mo') throw new RangeError()
  const fence = text ?? children.map((child) => child.text ?? '').join('')
  return fence === '∣' ? '|' : fence === '∥' ? '‖' : fence
}

/** The rows of a table, all of the same width. */
function rowsOf(table: MathNode): string[] {
  const cells = tableCells(table, 0)
  if (cells.flat().some((cell) => cell.includes('\n'))) throw new RangeError()
  const columns = Array.from(cells[0] ?? [], (_, column) => column)
  const widths = columns.map((column) => Math.max(...cells.map((row) => widthOf(row[column] ?? ''))))
  const isAligned = table.attributes?.['displaystyle'] === 'true'
  return cells.map((row, index) => {
    const classes = table.children?.[index]?.children?.map((cell) => cell.classes ?? []) ?? []
    const padded = columns.map((column) => {
      const text = row[column] ?? ''
      const space = widths[column]! - widthOf(text)
      const [isLeft, isRight] = ['tml-left', 'tml-right'].map((name) => classes[column]?.includes(name))
      const before = isLeft ? 0 : isRight ? space : Math.floor(space / 2)
      return ' '.repeat(before) + text + ' '.repeat(space - before)
    })
    return padded.join(isAligned ? ' ' : '  ')
  })
}

function bracketed(open: string, rows: readonly string[], close: string): string[] {
  return rows.map((row, index) => {
    const [left, right] = [open, close].map((fence) => bracketPart(fence, index, rows.length))
    return `${left === '' ? '' : `${left} `}${row}${right === '' ? '' : ` ${right}`}`
  })
}

function bracketPart(fence: string, index: number, count: number): string {
  const parts = brackets[fence]
  if (parts === undefined) throw new RangeError()
  const [first, middle, other, last] = parts
  if (index === 0) return first
  if (index === count - 1) return last
  return index === count >> 1 ? middle : other
}

/** Puts the pieces beside each other: text in the middle row, and each mark's rows around it. */
function joined(pieces: readonly string[], blocks: readonly string[][]): string[] {
  const height = Math.max(...blocks.map(({ length }) => length))
  const rows = Array.from({ length: height }, () => '')
  const place = (block: readonly string[], top: number): void => {
    const width = Math.max(...block.map(widthOf))
    for (const [index, row] of rows.entries()) {
      const text = block[index - top] ?? ''
      rows[index] = row + text + ' '.repeat(width - widthOf(text))
    }
  }
  const topOf = (length: number): number => ((height - 1) >> 1) - ((length - 1) >> 1)
  let above: readonly string[] | undefined
  for (const piece of pieces) {
    const block = marks.test(piece) ? blocks[piece.charCodeAt(0) - firstMark] : undefined
    if (block === undefined) {
      const [power = ''] = above === undefined ? [] : (raised.exec(piece) ?? [])
      if (power !== '') place([power], topOf(above!.length))
      place([piece.slice(power.length)], topOf(1))
    } else place(block, topOf(block.length))
    above = block
  }
  return rows
}
