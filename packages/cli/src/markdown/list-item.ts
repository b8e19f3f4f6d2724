import type { Painter } from '../terminal/style.ts'
import { widthOf } from '../terminal/width.ts'
import type { LineKind } from './line-kind.ts'

/** The beginning of a list item as it is shown. */
export interface ItemStart {
  /** `• `, `3. ` or a check box. */
  label: string
  /** The text after the marker and the check box. */
  rest: string
  /** The number in an ordered list; 0 in others. */
  number: number
}

/** Reads the marker of an item. `previous` is the number of the item before it in the same list, or 0. */
export function itemStart({ marker, rest }: LineKind & { kind: 'item' }, previous: number): ItemStart {
  const list = listKind(marker)
  if (list !== marker) {
    const number = previous === 0 ? Number.parseInt(marker) : previous + 1
    return { label: `${number}${list} `, rest, number }
  }
  const task = /^\[([ xX])\] /.exec(rest)
  if (task === null) return { label: '• ', rest, number: 0 }
  return { label: task[1] === ' ' ? '☐ ' : '☑ ', rest: rest.slice(task[0].length), number: 0 }
}

/** The kind of list that a marker belongs to: its bullet, or the character after its number. */
export function listKind(marker: string): string {
  return /\d/.test(marker) ? marker.slice(-1) : marker
}

/** Puts the label before the first line of an item and indents the others. */
export function withLabel(lines: readonly string[], label: string, isFirst: boolean, paint: Painter): string[] {
  const indent = ' '.repeat(widthOf(label))
  return lines.map((line, index) => {
    if (isFirst && index === 0) return (paint(label, {}) + line).trimEnd()
    return line === '' ? '' : indent + line
  })
}
