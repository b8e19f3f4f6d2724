import { widthOf } from '../terminal/width.ts'
import { BlockOutput, type BlockLines, type Sink } from './block-output.ts'
import {
  emitProse,
  Fence,
  Formula,
  headingStyle,
  Html,
  IndentedCode,
  Paragraph,
  type Block,
  type BlockContext,
  type SourceLine,
  type Taken,
} from './leaf-blocks.ts'
import { expandIndent, indentOf, isHtml, itemKind, lineKind, type LineKind } from './line-kind.ts'
import { itemStart, listKind, withLabel } from './list-item.ts'
import type { Sheet } from './prose.ts'

/** The narrowest text, also inside deep lists and quotes. */
const minColumns = 12
/** Quotes and lists inside each other. Deeper ones are shown as text. */
const maxDepth = 16
const quoteBar = '│ '

interface ReaderOptions {
  isPreview?: boolean
  depth?: number
}

/**
 * Reads Markdown line by line and passes each block on when it is finished. The result depends only on the text and not on
 * the pieces that it arrived in. Lists and quotes have a reader of their own for their blocks.
 */
export class BlockReader {
  readonly output: BlockOutput
  readonly #sheet: Sheet
  readonly #isPreview: boolean
  readonly #depth: number
  #columns: number
  /** The width of the next block. */
  #nextColumns: number
  #block: Block | undefined
  /** The surroundings of the open block. */
  #open: BlockContext | undefined
  /** The number of the last item of an ordered list. */
  #number = 0

  constructor(
    sheet: Sheet,
    output: BlockOutput,
    columns: number,
    { isPreview = false, depth = 0 }: ReaderOptions = {},
  ) {
    this.#sheet = sheet
    this.output = output
    this.#columns = Math.max(columns, minColumns)
    this.#nextColumns = this.#columns
    this.#isPreview = isPreview
    this.#depth = depth
  }

  /** Sets the width of later blocks. `alsoOpen`: of the open block too, of which no line may have been handed out. */
  resize(columns: number, alsoOpen: boolean): void {
    this.#nextColumns = Math.max(columns, minColumns)
    if (this.#block instanceof Container) this.#block.resize(columns, alsoOpen)
    if (!alsoOpen) return
    this.#columns = this.#nextColumns
    if (this.#open !== undefined) this.#open.columns = this.#columns
  }

  /** A copy that can read on and end, to see what the text would look like if it ended there. */
  preview(sink: Sink): BlockReader {
    const definitions = Object.create(this.#sheet.definitions) as Sheet['definitions']
    return this.copy({ ...this.#sheet, definitions }, sink)
  }

  /** A copy for a preview, with another sheet and sink. */
  copy(sheet: Sheet, sink: Sink): BlockReader {
    const copy = new BlockReader(sheet, this.output.copy(sink), this.#columns, { isPreview: true, depth: this.#depth })
    copy.#number = this.#number
    copy.#nextColumns = this.#nextColumns
    copy.#block = this.#block?.copy(copy.#context)
    return copy
  }

  line(raw: string): void {
    const text = expandIndent(raw)
    const line: SourceLine = { raw, text, kind: this.#kindOf(text) }
    const block = this.#block
    if (line.kind.kind === 'blank' && !(block instanceof Fence)) this.output.setBlank(true)
    const taken = block === undefined ? 'left' : block.take(line)
    if (taken === 'last') this.#block = undefined
    else if (taken === 'left') this.#openNext(line)
    else if (taken !== 'taken') this.#block = taken
  }

  /** Ends the open block. */
  end(): void {
    const block = this.#block
    this.#block = undefined
    block?.end()
  }

  /** Whether a line of plain text would continue the open paragraph. */
  get inParagraph(): boolean {
    return this.#block?.inParagraph === true
  }

  get #context(): BlockContext {
    return { sheet: this.#sheet, output: this.output, columns: this.#columns, isPreview: this.#isPreview }
  }

  #kindOf(line: string): LineKind {
    const kind = lineKind(line)
    const isContainer = kind.kind === 'quote' || kind.kind === 'item'
    return isContainer && this.#depth >= maxDepth ? { kind: 'text' } : kind
  }

  /** Ends the open block and opens the one that the line begins. */
  #openNext(line: SourceLine): void {
    const { kind } = line
    const isSameList = this.#block instanceof Item && this.#block.isFollowedBy(kind)
    if (!isSameList) this.#number = 0
    this.end()
    if (kind.kind === 'blank') return
    if (kind.kind === 'definition') {
      this.#sheet.definitions[kind.label.toLowerCase()] ??= { href: kind.href, title: kind.title }
      return
    }
    this.output.begin(kind.kind !== 'item' && kind.kind !== 'text')
    this.#columns = this.#nextColumns
    this.#begin(line)
  }

  #begin(line: SourceLine): void {
    const { text, kind } = line
    const context = this.#context
    this.#open = context
    switch (kind.kind) {
      case 'heading':
        return emitProse(context, [kind.text], headingStyle(kind.level))
      case 'fold':
        if (kind.text !== '') emitProse(context, [kind.text], kind.isSummary ? headingStyle(2) : {})
        return
      case 'rule':
        return this.output.emit([this.#sheet.paint('─'.repeat(Math.min(this.#columns, 40)), { dim: true })])
      case 'fence':
        this.#block = new Fence(context, kind)
        return
      case 'indented':
        this.#block = new IndentedCode(context)
        return void this.#block.take(line)
      case 'formula':
        this.#block = new Formula(context, kind.closing, kind.isClosed ? [] : [text])
        if (kind.isClosed) this.line(line.raw)
        return
      case 'quote':
        return this.#openContainer(new Quote(context, this.#depth + 1), kind.rest)
      case 'item': {
        const start = itemStart(kind, this.#number)
        this.#number = start.number
        return this.#openContainer(new Item(context, kind, start.label, this.#depth + 1), start.rest)
      }
      case 'text':
        this.#block = isHtml(text) ? new Html(context, [text]) : new Paragraph(context, [text])
    }
  }

  #openContainer(container: Container, firstLine: string): void {
    this.#block = container
    container.reader.line(firstLine)
  }
}

/** A block that contains blocks. Its lines, without its mark, are read by a reader of their own. */
abstract class Container implements Block {
  readonly reader: BlockReader
  protected readonly context: BlockContext
  readonly #indent: number

  /** `original` is the reader to copy for a preview. */
  constructor(context: BlockContext, mark: string, depth: number, original?: BlockReader) {
    this.context = context
    this.#indent = widthOf(mark)
    const { sheet, columns, isPreview } = context
    const sink: Sink = (block) => this.emit(block)
    this.reader =
      original?.copy(sheet, sink) ??
      new BlockReader(sheet, new BlockOutput(sink), columns - this.#indent, { isPreview, depth })
  }

  get inParagraph(): boolean {
    return this.reader.inParagraph
  }

  resize(columns: number, alsoOpen: boolean): void {
    this.reader.resize(columns - this.#indent, alsoOpen)
  }

  end(): void {
    this.reader.end()
  }

  abstract take(line: SourceLine): Taken
  abstract copy(context: BlockContext): Block
  /** Writes lines of the inner blocks with the mark. */
  protected abstract emit(block: BlockLines): void
}

class Quote extends Container {
  readonly #depth: number

  constructor(context: BlockContext, depth: number, original?: BlockReader) {
    super(context, quoteBar, depth, original)
    this.#depth = depth
  }

  take({ text, kind }: SourceLine): Taken {
    if (kind.kind === 'quote') this.reader.line(kind.rest)
    else if (kind.kind === 'text' && this.inParagraph) this.reader.line(text)
    else return 'left'
    return 'taken'
  }

  copy(context: BlockContext): Quote {
    return new Quote(context, this.#depth, this.reader)
  }

  protected emit({ lines, stable, isCode }: BlockLines): void {
    const { output, sheet } = this.context
    const bar = sheet.paint(quoteBar, { dim: true })
    output.emit(isCode ? lines : lines.map((line) => (bar + line).trimEnd()), stable, isCode)
  }
}

type ItemMark = LineKind & { kind: 'item' }

class Item extends Container {
  readonly #mark: ItemMark
  readonly #label: string
  readonly #depth: number
  /** Whether the label has been written. */
  #isShown: boolean

  constructor(context: BlockContext, mark: ItemMark, label: string, depth: number, original?: Item) {
    super(context, label, depth, original?.reader)
    this.#mark = mark
    this.#label = label
    this.#depth = depth
    this.#isShown = original !== undefined && original.#isShown
  }

  take({ text, kind }: SourceLine): Taken {
    if (kind.kind === 'blank') {
      this.reader.line('')
      return 'taken'
    }
    const { indent: markIndent, offset } = this.#mark
    const indent = indentOf(text)
    // Models often indent a nested list by two spaces, although CommonMark wants three.
    const isNested = indent >= offset || (indent > markIndent + 1 && itemKind(text) !== undefined)
    if (!isNested && !(kind.kind === 'text' && this.inParagraph)) return 'left'
    this.context.output.setBlank(false)
    this.reader.line(text.slice(Math.min(indent, offset)))
    return 'taken'
  }

  override end(): void {
    this.reader.end()
    const { output, isPreview } = this.context
    if (!this.#isShown) this.emit({ lines: [''], stable: isPreview ? 0 : 1, isCode: false })
    output.setApart(this.reader.output.isApart)
  }

  /** Whether the line begins the next item of the same list. */
  isFollowedBy(kind: LineKind): boolean {
    return kind.kind === 'item' && listKind(kind.marker) === listKind(this.#mark.marker)
  }

  copy(context: BlockContext): Item {
    return new Item(context, this.#mark, this.#label, this.#depth, this)
  }

  protected emit({ lines, stable, isCode }: BlockLines): void {
    const { output, sheet } = this.context
    const isFirst = !this.#isShown
    this.#isShown = true
    if (!isCode) return output.emit(withLabel(lines, this.#label, isFirst, sheet.paint), stable)
    if (isFirst) output.emit([sheet.paint(this.#label, {}).trimEnd()])
    output.emit(lines, stable, isCode)
  }
}
