import { paintSpans, type Style } from '../terminal/style.ts'
import { widthOf } from '../terminal/width.ts'
import { wrap } from '../terminal/wrap.ts'
import type { BlockOutput } from './block-output.ts'
import { CodePainter } from './code.ts'
import { displayedTex } from './formula/formula-lexer.ts'
import { formulaGrid } from './formula/formula-grid.ts'
import { formulaText } from './formula/formula-text.ts'
import { indentOf, isSetextUnderline, type LineKind } from './line-kind.ts'
import { proseLines, proseSpans, unfinishedLines, type Sheet } from './prose.ts'
import { isTableHead, previewRows, tableLines } from './table.ts'

/** The surroundings of a block. */
export interface BlockContext {
  sheet: Sheet
  output: BlockOutput
  columns: number
  /** The text ends here for now. Lines that may still change are shown, but not as stable. */
  isPreview: boolean
}

/**
 * The result of offering a line to a block: it took the line, took it as its last line, or left it for the next block. A block that turns out
 * to be of another kind returns the block that replaces it.
 */
export type Taken = 'taken' | 'last' | 'left' | Block

/** A line of the text. */
export interface SourceLine {
  raw: string
  /** The line with the tabs before its text expanded. */
  text: string
  /** The block that the line begins by itself. */
  kind: LineKind
}

/** The block that is open. */
export interface Block {
  /** Whether a line of plain text would continue a paragraph. */
  readonly inParagraph: boolean
  take(line: SourceLine): Taken
  /** Writes what is not yet written. */
  end(): void
  /** A copy for a preview. */
  copy(context: BlockContext): Block
}

/** A paragraph or HTML block is ended after this many characters, so that a preview of it stays cheap. */
const maxLength = 4000
const maxTableLength = 128_000

export class Paragraph implements Block {
  readonly inParagraph = true
  readonly #context: BlockContext
  readonly #lines: string[]
  #length: number

  constructor(context: BlockContext, lines: readonly string[]) {
    this.#context = context
    this.#lines = [...lines]
    this.#length = lengthOf(lines)
  }

  take({ text: line, kind }: SourceLine): Taken {
    const { output } = this.#context
    const above = this.#lines.at(-1) ?? ''
    if (isSetextUnderline(line)) {
      output.beginApart()
      emitProse(this.#context, this.#lines, headingStyle(line.includes('=') ? 1 : 2))
      return 'last'
    }
    if (isTableHead(above, line)) {
      this.#lines.pop()
      if (this.#lines.length > 0) this.end()
      output.beginApart()
      return new Table(this.#context, [above, line])
    }
    if (interruptsParagraph(kind) || this.#length > maxLength) return 'left'
    this.#lines.push(line)
    this.#length += line.length + 1
    return 'taken'
  }

  end(): void {
    emitProse(this.#context, this.#lines, {})
  }

  copy(context: BlockContext): Paragraph {
    return new Paragraph(context, this.#lines)
  }
}

export class Html implements Block {
  readonly inParagraph = false
  readonly #context: BlockContext
  readonly #lines: string[]
  #length: number

  constructor(context: BlockContext, lines: readonly string[]) {
    this.#context = context
    this.#lines = [...lines]
    this.#length = lengthOf(lines)
  }

  take({ text: line, kind }: SourceLine): Taken {
    if (kind.kind === 'blank') {
      this.end()
      return 'last'
    }
    if (this.#length > maxLength) return 'left'
    this.#lines.push(line)
    this.#length += line.length + 1
    return 'taken'
  }

  end(): void {
    const { output, sheet } = this.#context
    output.emit(this.#lines.map((line) => sheet.paint(line, { dim: true })))
  }

  copy(context: BlockContext): Html {
    return new Html(context, this.#lines)
  }
}

class Table implements Block {
  readonly inParagraph = false
  readonly #context: BlockContext
  readonly #lines: string[]
  #length: number

  constructor(context: BlockContext, lines: readonly string[]) {
    this.#context = context
    this.#lines = [...lines]
    this.#length = lengthOf(lines)
  }

  take({ text: line, kind: { kind } }: SourceLine): Taken {
    if (kind !== 'text' || this.#length > maxTableLength) return 'left'
    // The last row of a preview is incomplete: it would change the widths of all columns with every character.
    if (this.#context.isPreview) return 'taken'
    this.#lines.push(line)
    this.#length += line.length + 1
    return 'taken'
  }

  end(): void {
    const { output, sheet, columns, isPreview } = this.#context
    const lines = tableLines(this.#lines, columns, sheet.paint, (cell, style) => proseSpans(cell, style, sheet))
    output.emit(lines, isPreview ? 0 : lines.length)
  }

  /** A table is drawn when it is complete. Before that its head and its last rows show that it grows. */
  copy(context: BlockContext): Table {
    return new Table(context, previewRows(this.#lines))
  }
}

/** A formula in lines of its own. Text whose formula does not end before the next blank line is a paragraph. */
export class Formula implements Block {
  readonly inParagraph = false
  readonly #context: BlockContext
  readonly #lines: string[]
  readonly #closing: string

  constructor(context: BlockContext, closing: string, lines: readonly string[]) {
    this.#context = context
    this.#closing = closing
    this.#lines = [...lines]
  }

  take({ text: line, kind }: SourceLine): Taken {
    if (kind.kind === 'blank' || lengthOf(this.#lines) > maxLength) return 'left'
    this.#lines.push(line)
    if (!line.includes(this.#closing)) return 'taken'
    this.end()
    return 'last'
  }

  end(): void {
    const { columns, isPreview, output, sheet } = this.#context
    const source = this.#lines.join('\n')
    const tex = displayedTex(source)
    if (tex === undefined && !isPreview) return emitProse(this.#context, this.#lines, {})
    const grid = tex === undefined ? undefined : formulaGrid(tex)
    if (grid !== undefined && Math.max(...grid.map(widthOf)) <= columns)
      return output.emit(
        grid.map((line) => sheet.paint(line, {})),
        isPreview ? 0 : grid.length,
      )
    const text = (tex === undefined ? undefined : formulaText(tex)) ?? source
    const lines = wrap([{ text, style: {} }], columns).map((line) => paintSpans(line, sheet.paint))
    output.emit(lines, isPreview ? 0 : lines.length)
  }

  copy(context: BlockContext): Formula {
    return new Formula(context, this.#closing, this.#lines)
  }
}

/** Code between fences. Each line is written as it comes. */
export class Fence implements Block {
  readonly inParagraph = false
  readonly #context: BlockContext
  readonly #opening: LineKind & { kind: 'fence' }
  readonly #code: CodePainter

  constructor(context: BlockContext, opening: LineKind & { kind: 'fence' }, code?: CodePainter) {
    this.#context = context
    this.#opening = opening
    this.#code = code ?? new CodePainter(opening.info, context.sheet.paint)
  }

  take({ raw }: SourceLine): Taken {
    const closing = /^ {0,3}(`{3,}|~{3,})\s*$/.exec(raw)?.[1]
    if (closing?.startsWith(this.#opening.marker)) return 'last'
    const text = raw.slice(Math.min(this.#opening.indent, indentOf(raw)))
    emitCode(this.#context, this.#context.isPreview ? this.#code.preview(text) : this.#code.line(text))
    return 'taken'
  }

  end(): void {}

  copy(context: BlockContext): Fence {
    return new Fence(context, this.#opening, this.#code)
  }
}

/** Code indented by four spaces. */
export class IndentedCode implements Block {
  readonly inParagraph = false
  readonly #context: BlockContext
  /** Blank lines that belong to the block if more code follows. */
  #blanks = 0

  constructor(context: BlockContext, blanks = 0) {
    this.#context = context
    this.#blanks = blanks
  }

  take({ text: line, kind: { kind } }: SourceLine): Taken {
    if (kind === 'blank') this.#blanks++
    else if (kind === 'indented') {
      this.#context.output.setBlank(false)
      for (; this.#blanks > 0; this.#blanks--) emitCode(this.#context, '')
      emitCode(this.#context, line.slice(4))
    } else return 'left'
    return 'taken'
  }

  end(): void {}

  copy(context: BlockContext): IndentedCode {
    return new IndentedCode(context, this.#blanks)
  }
}

/** Writes a paragraph or a heading. In a preview open emphasis, code and links are closed. */
export function emitProse(
  { output, columns, sheet, isPreview }: BlockContext,
  source: readonly string[],
  style: Style,
): void {
  if (!isPreview) return output.emit(proseLines(source, style, columns, sheet))
  const { lines, stable } = unfinishedLines(source, style, columns, sheet)
  output.emit(lines, stable)
}

export function headingStyle(level: number): Style {
  return level === 1 ? { bold: true, underline: true } : { bold: true }
}

function emitCode({ output, isPreview }: BlockContext, line: string): void {
  output.emit([line], isPreview ? 0 : 1, true)
}

/** Whether the line begins a new block after a paragraph. Empty items and items that do not start at 1 do not. */
function interruptsParagraph(kind: LineKind): boolean {
  if (kind.kind === 'item') return kind.rest !== '' && !/^(?!1[.)])\d/.test(kind.marker)
  return kind.kind !== 'text' && kind.kind !== 'indented' && kind.kind !== 'definition'
}

function lengthOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length + 1, 0)
}
