import type { Painter } from '../terminal/style.ts'
import { cutTo, widthOf } from '../terminal/width.ts'
import { layout } from './layout.ts'
import type { EditorState } from './state.ts'

/** The lines of the editor on the screen. */
export interface EditorView {
  lines: string[]
  cursor: { line: number; column: number }
}

export interface ViewOptions {
  columns: number
  /** The most rows of text to show. The row of the cursor is always among them. */
  rows: number
  paint: Painter
  /** Shown in an empty editor. */
  placeholder: string
  /** Lines to show below the text. */
  below?: readonly string[]
}

const prompt = '> '
/** The prompt in the normal mode of vi. */
const normalPrompt = ': '
const indent = '  '

/** The width for the text in a window. */
export function textColumns(columns: number): number {
  return Math.max(8, columns - widthOf(prompt) - 1)
}

export function editorView(state: EditorState, options: ViewOptions): EditorView {
  const { columns, rows: most, paint, placeholder, below = [] } = options
  const { rows, row, column, hasStart } = layout(state.text, state.cursor, textColumns(columns), state.pastes)
  const shownPrompt = state.vi?.mode === 'normal' ? normalPrompt : prompt
  const first = Math.min(Math.max(0, row - most + 1), Math.max(0, rows.length - most))
  const shown = rows.slice(first, first + most)
  const lines = shown.map(({ text }, index) => {
    return (hasStart && first + index === 0 ? paint(shownPrompt, { bold: true }) : indent) + text
  })
  if (state.text === '' && state.search === undefined) {
    lines[0] = paint(shownPrompt, { bold: true }) + paint(cutTo(placeholder, columns - 3), { dim: true })
  }
  const hints = [...searchLine(state, paint), ...completionLines(state, columns, paint), ...below]
  return {
    lines: [...lines, ...hints],
    cursor: { line: row - first, column: widthOf(prompt) + column },
  }
}

/** The most of a sent message that is shown: a long paste would push everything else far away. */
const maxSent = { lines: 40, characters: 4_000 }

/** The lines of a sent message in the scrollback. */
export function sentLines(text: string, paint: Painter): string[] {
  const all = text.split('\n')
  const shown = text.slice(0, maxSent.characters).toWellFormed().split('\n').slice(0, maxSent.lines)
  const lines = shown.map((line, index) => paint((index === 0 ? prompt : indent) + line, { bold: true }))
  const hiddenLines = all.length - shown.length
  const hidden = text.length - shown.join('\n').length
  if (hidden === 0) return lines
  const note = hiddenLines > 0 ? `${hiddenLines} more lines` : `${hidden} more characters`
  return [...lines, paint(`${indent}… ${note}`, { dim: true })]
}

function searchLine({ search }: EditorState, paint: Painter): string[] {
  if (search === undefined) return []
  const failed = search.query !== '' && search.place === undefined ? 'no older line contains ' : ''
  return [paint(`search: ${failed}${search.query}`, { dim: true })]
}

function completionLines({ completions }: EditorState, columns: number, paint: Painter): string[] {
  if (completions === undefined) return []
  const { items, chosen } = completions
  const width = Math.max(...items.map(widthOf)) + 2
  const perLine = Math.max(1, Math.floor((columns - 1) / width))
  const lines: string[] = []
  for (let start = 0; start < items.length && lines.length < 6; start += perLine) {
    const cells = items.slice(start, start + perLine).map((item, index) => {
      const padding = ' '.repeat(width - widthOf(item))
      return paint(item, start + index === chosen ? { inverse: true } : { dim: true }) + padding
    })
    lines.push(cells.join('').trimEnd())
  }
  const left = items.length - lines.length * perLine
  return left > 0 ? [...lines, paint(`and ${left} more`, { dim: true })] : lines
}
