import type { MarkedOptions, Token, TokenizerThis } from 'marked'

/** A formula in TeX. */
export interface FormulaToken {
  type: 'formula'
  raw: string
  tex: string
  /** Whether it stands in lines of its own. */
  isDisplay: boolean
}

/** A formula has no blank line. It may begin a block, also directly below the line of a paragraph. */
const blockStart = /\n[ \t]*\n|\n(?= {0,3}(?:\$\$|\\\[))/
const opening = /^ {0,3}(\$\$|\\\[)/
const blankLine = /\n[ \t]*\n/
const restOfLine = /^[ \t]*(?:\n|$)/

/** Longer formulas are text. The limit keeps the search for an end short where there is none. */
const maxInlineLength = 1_000

/**
 * `$x$` has no space inside its signs, and no letter or digit beside them: so `$5 and $10` or `$HOME/$USER` are text. TeX itself
 * may have `\$`.
 */
const dollars = new RegExp(String.raw`^\$(?![\s$])((?:\\[^\n]|[^$\\\n]){1,${maxInlineLength}})(?<!\s)\$(?![\w$])`)
const endOfWord = /[\w$\\]$/

/** Options of the lexer for text with formulas: `$$…$$` and `\[…\]` as blocks, these and `$…$` and `\(…\)` in lines. */
export const formulaExtensions: NonNullable<MarkedOptions['extensions']> = {
  renderers: {},
  childTokens: {},
  block: [blockFormula],
  startBlock: [startOfBlock],
  inline: [inlineFormula],
  startInline: [(source) => source.indexOf('$')],
}

/** Whether a text may have formulas. */
export function mayHaveFormulas(text: string): boolean {
  return text.includes('$') || text.includes('\\(') || text.includes('\\[')
}

function startOfBlock(source: string): number | undefined {
  const found = blockStart.exec(source)
  return found?.[0] === '\n' ? found.index + 1 : undefined
}

function blockFormula(this: TokenizerThis, source: string): FormulaToken | Token | undefined {
  const [start, mark] = opening.exec(source) ?? []
  if (start === undefined) return undefined
  const end = source.search(blankLine)
  const text = end === -1 ? source : source.slice(0, end)
  const close = text.indexOf(closing(mark!), start.length)
  // Its end may still arrive. Until then no line of it is read as the mark of a list or a heading.
  if (close === -1) return end === -1 ? paragraph(this, source) : undefined
  const rest = restOfLine.exec(text.slice(close + 2))
  if (!rest) return undefined
  return formula(text.slice(0, close + 2 + rest[0].length), text.slice(start.length, close), true)
}

function paragraph({ lexer }: TokenizerThis, text: string): Token {
  const tokens: Token[] = []
  lexer.inline(text, tokens)
  return { type: 'paragraph', raw: text, text, tokens }
}

function inlineFormula(source: string, before: Token[]): FormulaToken | undefined {
  const mark = source.slice(0, 2)
  if (mark === '$$' || mark === '\\[' || mark === '\\(') {
    const close = source.slice(0, maxInlineLength).indexOf(closing(mark), 2)
    if (close !== -1) return formula(source.slice(0, close + 2), source.slice(2, close), mark !== '\\(')
  }
  if (!source.startsWith('$') || endOfWord.test(before.at(-1)?.raw ?? '')) return undefined
  const [raw, tex] = dollars.exec(source) ?? []
  return raw === undefined ? undefined : formula(raw, tex!, false)
}

function closing(mark: string): string {
  return mark === '$$' ? '$$' : mark === '\\[' ? '\\]' : '\\)'
}

/** Undefined if nothing is between the marks. */
function formula(raw: string, tex: string, isDisplay: boolean): FormulaToken | undefined {
  return tex.trim() === '' ? undefined : { type: 'formula', raw, tex: tex.trim(), isDisplay }
}
