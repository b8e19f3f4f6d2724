import { paintSpans, type Painter, type Span, type Style } from '../terminal/style.ts'
import { widthOf } from '../terminal/width.ts'
import { wrap } from '../terminal/wrap.ts'
import { CodePainter } from './code.ts'
import { inlineSpans, type LinkDefinitions } from './inline.ts'
import { expandIndent, indentOf, isSetextUnderline, itemKind, lineKind, type LineKind } from './line-kind.ts'
import { cellsOf, isDelimiterRow, tableLines } from './table.ts'
import { closeOpen } from './unfinished.ts'

/** What is the same for a whole text. */
export interface Sheet {
  paint: Painter
  definitions: LinkDefinitions
}

/** Finished lines. */
export interface Output {
  lines: string[]
  /** So many of the first lines read the same whatever follows. */
  stable: number
  /** Code: printed from the first column, however deep in lists it stands, so that a copy of it is the code. */
  flush: boolean
}

export type Sink = (output: Output) => void

type Leaf =
  | { kind: 'none' }
  | { kind: 'paragraph' | 'table' | 'html'; lines: string[] }
  | { kind: 'fence'; marker: string; indent: number; code: CodePainter }
  | { kind: 'indented'; blanks: number }
  | { kind: 'quote'; reader: BlockReader }
  | Item

interface Item {
  kind: 'item'
  reader: BlockReader
  /** Where the marker stands and where the text behind it begins. */
  indent: number
  offset: number
  marker: string
  label: Span
  isShown: boolean
}

const narrowest = 12
const previewRows = 3
const quoteBar: Span = { text: '│ ', style: { dim: true } }

/**
 * Reads Markdown line by line and hands out each block when it is finished. What a block looks like depends on the text
 * alone, never on how it was cut on its way here. Lists and quotes hold a reader of their own, so that their blocks are
 * handed out one by one too: only a paragraph, a table or a line of code ever waits.
 */
export class BlockReader {
  readonly #sheet: Sheet
  readonly #sink: Sink
  #columns: number
  /** How wide the next block is. */
  #nextColumns: number
  readonly #isPreview: boolean
  #leaf: Leaf = { kind: 'none' }
  #isFirst = true
  /** A blank line came since the last block. */
  #blank = false
  /** The last block wants air behind it. */
  #apart = false
  /** The block that is open gets a blank line before it. */
  #gap = false
  /** The number of the last item of an ordered list. */
  #number = 0

  constructor(sheet: Sheet, sink: Sink, columns: number, isPreview = false) {
    this.#sheet = sheet
    this.#sink = sink
    this.#columns = Math.max(columns, narrowest)
    this.#nextColumns = this.#columns
    this.#isPreview = isPreview
  }

  /** Sets the width of the blocks to come; one that has begun keeps its own, as lines of it may be finished. */
  resize(columns: number): void {
    this.#nextColumns = Math.max(columns, narrowest)
    const leaf = this.#leaf
    if (leaf.kind === 'item') leaf.reader.resize(columns - widthOf(leaf.label.text))
    else if (leaf.kind === 'quote') leaf.reader.resize(columns - widthOf(quoteBar.text))
  }

  /** A copy that reads on by itself, to see what the text would look like if it ended here. */
  preview(sink: Sink): BlockReader {
    const sheet = { ...this.#sheet, definitions: { ...this.#sheet.definitions } }
    const copy = new BlockReader(sheet, sink, this.#columns, true)
    copy.#isFirst = this.#isFirst
    copy.#blank = this.#blank
    copy.#apart = this.#apart
    copy.#gap = this.#gap
    copy.#number = this.#number
    copy.#nextColumns = this.#nextColumns
    const leaf = this.#leaf
    if (leaf.kind === 'quote') copy.#leaf = { ...leaf, reader: leaf.reader.preview(copy.#quoteSink) }
    else if (leaf.kind === 'item') {
      const item = { ...leaf }
      item.reader = leaf.reader.preview((output) => copy.#emitItem(item, output))
      copy.#leaf = item
    } else copy.#leaf = 'lines' in leaf ? { ...leaf, lines: [...leaf.lines] } : { ...leaf }
    return copy
  }

  line(source: string): void {
    const leaf = this.#leaf
    if (leaf.kind === 'fence') return this.#fenceLine(leaf, source)
    const line = expandIndent(source)
    const kind = lineKind(line)
    if (kind.kind === 'blank') this.#blank = true
    switch (leaf.kind) {
      case 'none':
        return this.#open(line, kind)
      case 'paragraph':
        return this.#paragraphLine(leaf, line, kind)
      case 'table':
        if (kind.kind !== 'text') return this.#reopen(line, kind)
        // A row that is still being written would move all columns with each of its letters.
        if (!this.#isPreview) leaf.lines.push(line)
        return
      case 'html':
        return kind.kind === 'blank' ? this.end() : void leaf.lines.push(line)
      case 'indented':
        return this.#indentedLine(leaf, line, kind)
      case 'quote':
        return this.#quoteLine(leaf, line, kind)
      case 'item':
        return this.#itemLine(leaf, line, kind)
    }
  }

  end(): void {
    const leaf = this.#leaf
    this.#leaf = { kind: 'none' }
    switch (leaf.kind) {
      case 'paragraph':
        return this.#emitText(leaf.lines, {})
      case 'html':
        return this.#emit(leaf.lines.map((line) => this.#sheet.paint(line, { dim: true })))
      case 'table': {
        // Drawn whole when it is complete. Until then its last rows show that it grows.
        const shown = this.#isPreview
          ? [...leaf.lines.slice(0, 2), ...leaf.lines.slice(2).slice(-previewRows)]
          : leaf.lines
        const lines = tableLines(shown, this.#columns, this.#sheet.paint, (cell, style) => this.#spans(cell, style))
        return this.#emit(lines, this.#isPreview ? 0 : lines.length)
      }
      case 'quote':
        return leaf.reader.end()
      case 'item':
        leaf.reader.end()
        if (!leaf.isShown) this.#emitItem(leaf, { lines: [''], stable: this.#isPreview ? 0 : 1, flush: false })
        this.#apart = leaf.reader.#apart
    }
  }

  /** Whether a line of plain text would go on with the paragraph that is open. */
  get inParagraph(): boolean {
    const leaf = this.#leaf
    if (leaf.kind === 'quote' || leaf.kind === 'item') return leaf.reader.inParagraph
    return leaf.kind === 'paragraph'
  }

  #reopen(line: string, kind: LineKind): void {
    this.end()
    this.#open(line, kind)
  }

  #open(line: string, kind: LineKind): void {
    switch (kind.kind) {
      case 'blank':
        return
      case 'definition':
        this.#sheet.definitions[kind.label.toLowerCase()] ??= { href: kind.href, title: kind.title }
        return
      case 'fence':
        this.#begin({ apart: true })
        this.#leaf = { ...kind, code: new CodePainter(kind.info, this.#sheet.paint) }
        return
      case 'heading':
        this.#begin({ apart: true })
        return this.#emitText([kind.text], headingStyle(kind.level))
      case 'rule':
        this.#begin({ apart: true })
        return this.#emit([this.#sheet.paint('─'.repeat(Math.min(this.#columns, 40)), { dim: true })])
      case 'quote':
        this.#begin({ apart: true })
        this.#leaf = { kind: 'quote', reader: this.#child(widthOf(quoteBar.text), this.#quoteSink) }
        return this.#leaf.reader.line(kind.rest)
      case 'item':
        this.#begin({ apart: false })
        return this.#openItem(kind)
      case 'indented':
        this.#begin({ apart: true })
        this.#leaf = { kind: 'indented', blanks: 0 }
        return this.#indentedLine(this.#leaf, line, kind)
      case 'text':
        this.#begin({ apart: false })
        this.#leaf = { kind: isHtml(line) ? 'html' : 'paragraph', lines: [line] }
    }
  }

  /** Decides on the air before a block while it is known what came before it. */
  #begin({ apart }: { apart: boolean }): void {
    this.#gap = !this.#isFirst && (this.#blank || this.#apart || apart)
    this.#blank = false
    this.#apart = apart
    this.#columns = this.#nextColumns
  }

  #setApart(): void {
    this.#gap = !this.#isFirst
    this.#apart = true
  }

  #paragraphLine(leaf: Leaf & { lines: string[] }, line: string, kind: LineKind): void {
    const above = leaf.lines.at(-1) ?? ''
    if (isSetextUnderline(line)) {
      this.#leaf = { kind: 'none' }
      this.#setApart()
      return this.#emitText(leaf.lines, headingStyle(line.includes('=') ? 1 : 2))
    }
    if (isDelimiterRow(line) && above.includes('|') && cellsOf(above).length === cellsOf(line).length) {
      leaf.lines.pop()
      if (leaf.lines.length > 0) this.end()
      this.#setApart()
      this.#leaf = { kind: 'table', lines: [above, line] }
      return
    }
    const interrupts = kind.kind === 'item' ? kind.rest !== '' && !/^(?!1[.)])\d/.test(kind.marker) : true
    if (kind.kind === 'text' || kind.kind === 'indented' || kind.kind === 'definition' || !interrupts) {
      leaf.lines.push(line)
    } else this.#reopen(line, kind)
  }

  #fenceLine(leaf: Leaf & { kind: 'fence' }, source: string): void {
    const closing = /^ {0,3}(`{3,}|~{3,})\s*$/.exec(source)?.[1]
    if (closing?.startsWith(leaf.marker)) {
      this.#leaf = { kind: 'none' }
      return
    }
    const text = source.slice(Math.min(leaf.indent, indentOf(source)))
    this.#emitCode(this.#isPreview ? leaf.code.preview(text) : leaf.code.line(text))
  }

  #indentedLine(leaf: Leaf & { kind: 'indented' }, line: string, kind: LineKind): void {
    if (kind.kind === 'blank') leaf.blanks++
    else if (kind.kind === 'indented') {
      this.#blank = false
      for (; leaf.blanks > 0; leaf.blanks--) this.#emitCode('')
      this.#emitCode(line.slice(4))
    } else this.#reopen(line, kind)
  }

  #quoteLine(leaf: Leaf & { kind: 'quote' }, line: string, kind: LineKind): void {
    if (kind.kind === 'quote') leaf.reader.line(kind.rest)
    else if (kind.kind === 'text' && leaf.reader.inParagraph) leaf.reader.line(line)
    else this.#reopen(line, kind)
  }

  #itemLine(leaf: Item, line: string, kind: LineKind): void {
    if (kind.kind === 'blank') return leaf.reader.line('')
    const indent = indentOf(line)
    // Two spaces under `1. ` are one too few by the letter; whoever writes them means a list inside the list.
    const isNested = indent >= leaf.offset || (indent > leaf.indent + 1 && itemKind(line) !== undefined)
    if (isNested || (kind.kind === 'text' && leaf.reader.inParagraph)) {
      this.#blank = false
      return leaf.reader.line(line.slice(Math.min(indent, leaf.offset)))
    }
    this.end()
    if (kind.kind !== 'item' || listOf(kind.marker) !== listOf(leaf.marker)) this.#number = 0
    this.#open(line, kind)
  }

  #openItem({ indent, offset, marker, rest }: LineKind & { kind: 'item' }): void {
    const isOrdered = listOf(marker) !== marker
    const first = Number.parseInt(marker)
    this.#number = !isOrdered ? 0 : this.#number === 0 ? first : this.#number + 1
    const task = isOrdered ? null : /^\[([ xX])\] /.exec(rest)
    const bullet = task === null ? '•' : task[1] === ' ' ? '☐' : '☑'
    const text = `${isOrdered ? `${this.#number}${marker.slice(-1)}` : bullet} `
    const reader = this.#child(widthOf(text), (output) => this.#emitItem(item, output))
    const item: Item = { kind: 'item', reader, indent, offset, marker, label: { text, style: {} }, isShown: false }
    this.#leaf = item
    reader.line(task === null ? rest : rest.slice(task[0].length))
  }

  #child(indent: number, sink: Sink): BlockReader {
    return new BlockReader(this.#sheet, sink, this.#columns - indent, this.#isPreview)
  }

  readonly #quoteSink: Sink = ({ lines, stable, flush }) => {
    const bar = this.#sheet.paint(quoteBar.text, quoteBar.style)
    this.#emit(flush ? lines : lines.map((line) => (bar + line).trimEnd()), stable, flush)
  }

  #emitItem(item: Item, { lines, stable, flush }: Output): void {
    const label = this.#sheet.paint(item.label.text, item.label.style)
    const indent = ' '.repeat(widthOf(item.label.text))
    const isFirst = !item.isShown
    item.isShown = true
    if (flush) {
      if (isFirst) this.#emit([label.trimEnd()])
      return this.#emit(lines, stable, flush)
    }
    const prefixed = lines.map((line, index) => {
      if (isFirst && index === 0) return (label + line).trimEnd()
      return line === '' ? '' : indent + line
    })
    this.#emit(prefixed, stable)
  }

  #emitCode(line: string): void {
    this.#emit([line], this.#isPreview ? 0 : 1, true)
  }

  #emitText(lines: readonly string[], style: Style): void {
    const source = lines.map((line) => line.trimStart()).join('\n')
    if (!this.#isPreview) return this.#emit(this.#wrapped(source, style))
    const { text, stableEnd } = closeOpen(source)
    // The last line may become the head of a table; and the last word, and with it the line it stands on, may grow.
    const lastLine = source.lastIndexOf('\n') + 1
    const end = source.includes('|', lastLine) ? Math.min(stableEnd, lastLine) : stableEnd
    const stable = this.#wrapped(source.slice(0, end), style).length - 1
    this.#emit(this.#wrapped(text, style), stable)
  }

  #wrapped(source: string, style: Style): string[] {
    return wrap(this.#spans(source, style), this.#columns).map((line) => paintSpans(line, this.#sheet.paint).trimEnd())
  }

  #spans(source: string, style: Style): Span[] {
    return inlineSpans(source.trimEnd(), style, this.#sheet.definitions, this.#sheet.paint)
  }

  #emit(lines: string[], stable: number = lines.length, flush = false): void {
    if (lines.length === 0) return
    const hasGap = this.#gap
    this.#gap = false
    this.#isFirst = false
    this.#sink({ lines: hasGap ? ['', ...lines] : lines, stable: hasGap && stable > 0 ? stable + 1 : stable, flush })
  }
}

function headingStyle(level: number): Style {
  return level === 1 ? { bold: true, underline: true } : { bold: true }
}

/** The kind of list that a marker belongs to: its bullet, or what stands behind its numbers. */
function listOf(marker: string): string {
  return /\d/.test(marker) ? marker.slice(-1) : marker
}

function isHtml(line: string): boolean {
  return /^ {0,3}<(?:\/?[a-z][\w-]*(?:[\s/>]|$)|!--)/i.test(line) && !/^ {0,3}<(?:https?|mailto):/i.test(line)
}
