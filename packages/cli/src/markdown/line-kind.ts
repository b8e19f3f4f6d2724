import { beginsWithElement } from './lexer/element.ts'

/** The block that a line begins by itself. The open block decides whether the line begins it. */
export type LineKind =
  | { kind: 'blank' }
  | { kind: 'fence'; marker: string; indent: number; info: string }
  | { kind: 'heading'; level: number; text: string }
  | { kind: 'rule' }
  | { kind: 'quote'; rest: string }
  | { kind: 'item'; indent: number; offset: number; marker: string; rest: string }
  | { kind: 'indented' }
  | { kind: 'formula'; closing: string; isClosed: boolean }
  | { kind: 'definition'; label: string; href: string; title: string | null }
  | { kind: 'fold'; text: string; isSummary: boolean }
  | { kind: 'text' }

const fence = /^( {0,3})(`{3,}|~{3,})\s*(.*)$/
const heading = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/
const rule = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/
const quote = /^ {0,3}> ?(.*)$/
const item = /^( *)([-*+]|\d{1,9}[.)])(?:( {1,4})(?! )|( +)|$)(.*)$/
const formula = /^ {0,3}(\$\$|\\\[)(.*)$/
const definition = /^ {0,3}\[([^\]^][^\]]*)\]:\s*<?([^\s>]+)>?(?:\s+["'(](.*)["')])?\s*$/

export function lineKind(line: string): LineKind {
  if (line.trim() === '') return { kind: 'blank' }
  const indent = indentOf(line)
  if (indent >= 4) return { kind: 'indented' }
  const fenced = fence.exec(line)
  if (fenced !== null && !(fenced[2]?.startsWith('`') && fenced[3]?.includes('`'))) {
    return { kind: 'fence', indent, marker: fenced[2] ?? '', info: fenced[3] ?? '' }
  }
  const headed = heading.exec(line)
  if (headed !== null) return { kind: 'heading', level: headed[1]?.length ?? 1, text: withoutClosing(headed[2] ?? '') }
  if (rule.test(line)) return { kind: 'rule' }
  const quoted = quote.exec(line)
  if (quoted !== null) return { kind: 'quote', rest: quoted[1] ?? '' }
  const listed = itemKind(line)
  if (listed !== undefined) return listed
  const display = formulaKind(line)
  if (display !== undefined) return display
  const defined = definition.exec(line)
  if (defined !== null) {
    return { kind: 'definition', label: defined[1] ?? '', href: defined[2] ?? '', title: defined[3] ?? null }
  }
  return foldKind(line) ?? { kind: 'text' }
}

const foldTag = /<\/?(?:details|summary)(?:\s[^>]*)?>/gi
const summaryStart = /<summary[\s>]/i

/** A line that begins or ends a part that a browser folds, or has its title. */
function foldKind(line: string): (LineKind & { kind: 'fold' }) | undefined {
  if (!/^ {0,3}<\/?(?:details|summary)[\s>]/i.test(line)) return undefined
  const text = line.replaceAll(foldTag, '').trim()
  return { kind: 'fold', text, isSummary: summaryStart.test(line) }
}

/** A line that begins a formula, and has no text behind its end. */
function formulaKind(line: string): (LineKind & { kind: 'formula' }) | undefined {
  const [, opening, rest = ''] = formula.exec(line) ?? []
  if (opening === undefined) return undefined
  const closing = opening === '$$' ? '$$' : '\\]'
  const end = rest.indexOf(closing)
  if (end >= 0 && (end === 0 || rest.slice(end + 2).trim() !== '')) return undefined
  return { kind: 'formula', closing, isClosed: end >= 0 }
}

/** A heading's text without the `#` marks at its end. */
function withoutClosing(text: string): string {
  const trimmed = text.trimEnd()
  let end = trimmed.length
  while (trimmed[end - 1] === '#') end--
  return trimmed[end - 1] === ' ' || trimmed[end - 1] === '\t' ? trimmed.slice(0, end).trimEnd() : trimmed
}

/** Reads `- text` and `1. text` at any indentation. */
export function itemKind(line: string): (LineKind & { kind: 'item' }) | undefined {
  const listed = item.exec(line)
  if (listed === null) return undefined
  const [, before = '', marker = '', spaces, code, rest = ''] = listed
  const padding = spaces === undefined ? 1 : spaces.length
  return {
    kind: 'item',
    indent: before.length,
    offset: before.length + marker.length + padding,
    marker,
    // If more than four spaces follow the marker, the first belongs to it, and the others make indented code.
    rest: code === undefined ? rest : code.slice(1) + rest,
  }
}

export function indentOf(line: string): number {
  return line.length - line.trimStart().length
}

export function isSetextUnderline(line: string): boolean {
  return /^ {0,3}(?:=+|-+)[ \t]*$/.test(line)
}

/** Expands the tabs before the text to the next multiple of four columns, as CommonMark does. */
export function expandIndent(line: string): string {
  const leading = /^[ \t]*/.exec(line)?.[0] ?? ''
  if (!leading.includes('\t')) return line
  let columns = 0
  for (const character of leading) columns += character === '\t' ? 4 - (columns % 4) : 1
  return ' '.repeat(columns) + line.slice(leading.length)
}

export function isHtml(line: string): boolean {
  return (
    !beginsWithElement(line) &&
    /^ {0,3}<(?:\/?[a-z][\w-]*(?:[\s/>]|$)|!--)/i.test(line) &&
    !/^ {0,3}<(?:https?|mailto):/i.test(line)
  )
}
