import type { Token, TokenizerThis } from 'marked'

/** A formula in TeX. */
export interface FormulaToken {
  type: 'formula'
  raw: string
  tex: string
  /** Whether it stands in lines of its own. */
  isDisplay: boolean
}

/** A formula has no blank line. It may begin a block, also directly below the line of a paragraph. */
const blockStart = /\n[ \t]*\n|\n(?= {0,3}(?:\$\$|\\\[))/g
const opening = / {0,3}(\$\$|\\\[)/y
/** The end of a formula that begins a block, or the blank line that shows that it has none. */
const blockEnds = { $$: /\n[ \t]*\n|\$\$/g, '\\[': /\n[ \t]*\n|\\\]/g }
const restOfLine = /[ \t]*(?:\n|$)/y

/** Longer formulas are text. The limit keeps the search for an end short where there is none. */
const maxInlineLength = 1_000

/**
 * `$x$` has no space inside its signs, and no letter or digit beside them: so `$5 and $10` or `$HOME/$USER` are text. TeX itself
 * may have `\$`.
 */
const dollars = new RegExp(String.raw`^\$(?![\s$])((?:\\[^\n]|[^$\\\n]){1,${maxInlineLength}})(?<!\s)\$(?![\w$])`)
const endOfWord = /[\w$\\]/

/** The place of the first formula below the first line of a paragraph. Undefined if there is none before its end. */
export function startOfBlock(source: string): number | undefined {
  blockStart.lastIndex = 0
  for (let found = blockStart.exec(source); found?.[0] === '\n'; found = blockStart.exec(source)) {
    const at = found.index + 1
    if (readBlock(source, at)) return at
  }
  return undefined
}

export function blockFormula(tokenizer: TokenizerThis, source: string): FormulaToken | Token | undefined {
  const read = readBlock(source, 0)
  return read === 'open' ? paragraph(tokenizer, source) : read
}

/**
 * The formula that begins a block at a place. `open` if its end may still arrive: until then no line of it is read as the mark
 * of a list or a heading.
 */
function readBlock(source: string, at: number): FormulaToken | 'open' | undefined {
  opening.lastIndex = at
  const [start, mark] = opening.exec(source) ?? []
  if (start === undefined) return undefined
  const begin = at + start.length
  const pattern = blockEnds[mark as keyof typeof blockEnds]
  pattern.lastIndex = begin
  const end = pattern.exec(source)
  if (!end) return 'open'
  restOfLine.lastIndex = end.index + 2
  const rest = restOfLine.exec(source)
  if (end[0].startsWith('\n') || !rest) return undefined
  return formula(source.slice(at, end.index + 2 + rest[0].length), source.slice(begin, end.index), true)
}

function paragraph({ lexer }: TokenizerThis, text: string): Token {
  const tokens: Token[] = []
  lexer.inline(text, tokens)
  return { type: 'paragraph', raw: text, text, tokens }
}

/** The next sign that may begin a formula. After some that follow a letter it is one of these: a search is short at any length. */
export function startOfInline(source: string): number {
  let at = source.indexOf('$')
  for (let passed = 0; passed < 20 && at > 0 && endOfWord.test(source[at - 1]!); passed++)
    at = source.indexOf('$', at + 1)
  return at
}

/**
 * The end of the formula that begins at a place of a text: `open` if it may still arrive. Undefined if no formula begins there.
 */
export function formulaEnd(source: string, at: number): number | 'open' | undefined {
  const rest = source.slice(at, at + maxInlineLength)
  const mark = rest.slice(0, 2)
  if (mark === '$$' || mark === '\\[' || mark === '\\(') {
    const close = rest.indexOf(closing(mark), 2)
    if (close !== -1) return at + close + 2
    return rest.length < maxInlineLength ? 'open' : undefined
  }
  if (rest[0] !== '$' || endOfWord.test(source[at - 1] ?? '')) return undefined
  const end = at + (dollars.exec(rest)?.[0].length ?? source.length)
  // The character behind its sign decides whether it is a formula.
  if (end < source.length) return end
  return rest.length < maxInlineLength && /^\$(?!\s)[^\n]*$/.test(rest) ? 'open' : undefined
}

/** The TeX of a text that is one formula in lines of its own. Undefined if it is not. */
export function displayedTex(source: string): string | undefined {
  const read = readBlock(source, 0)
  return typeof read === 'object' && read.raw.length === source.length ? read.tex : undefined
}

export function inlineFormula(source: string, before: Token[]): FormulaToken | undefined {
  const mark = source.slice(0, 2)
  if (mark === '$$' || mark === '\\[' || mark === '\\(') {
    const close = source.slice(0, maxInlineLength).indexOf(closing(mark), 2)
    if (close !== -1) return formula(source.slice(0, close + 2), source.slice(2, close), mark !== '\\(')
  }
  const [raw, tex] = dollars.exec(source) ?? []
  return raw === undefined || endOfWord.test(before.at(-1)?.raw.at(-1) ?? '') ? undefined : formula(raw, tex!, false)
}

function closing(mark: string): string {
  return mark === '$$' ? '$$' : mark === '\\[' ? '\\]' : '\\)'
}

/** Undefined if nothing is between the marks. */
function formula(raw: string, tex: string, isDisplay: boolean): FormulaToken | undefined {
  return tex.trim() === '' ? undefined : { type: 'formula', raw, tex: tex.trim(), isDisplay }
}
