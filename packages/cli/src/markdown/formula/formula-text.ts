import { safeText } from '../../terminal/safe-text.ts'
import { widthOf } from '../../terminal/width.ts'
import { checkDepth, type MathNode } from './math-tree.ts'
import { subscript, superscript } from './scripts.ts'
import { drawTex } from './tex-reader.ts'

/** The last formulas. A paragraph that is still arriving is drawn again with every piece. */
const written = new Map<string, string | undefined>()
const maxWritten = 500

/**
 * Writes a formula in TeX as lines of Unicode text: `\frac{a+1}{2} \le x^2` becomes `(a + 1)/2 ≤ x²`. Undefined if the source is
 * not valid, or has something that text cannot show exactly.
 */
export function formulaText(tex: string): string | undefined {
  const known = written.get(tex)
  if (known !== undefined || written.has(tex)) return known
  const text = drawTex(tex, true, (tree) => lineOf([tree], 0))
  const result = text === undefined ? undefined : safeText(withLongPrimes(text)).replaceAll(/^\n+|\s+$/g, '')
  if (written.size >= maxWritten) written.clear()
  written.set(tex, result)
  return result
}

function withLongPrimes(text: string): string {
  return text.replaceAll('′′′', '‴').replaceAll('′′', '″')
}

/** A part of a formula as text, and how it joins its neighbours. */
interface Part {
  text: string
  kind: 'operand' | 'fraction' | 'operator' | 'large' | 'word' | 'separator' | 'space'
}

const bigOperators = '∑∏∐∫∬∭∮⋃⋂⨁⨂⨆'
/** Operators that are written directly before their operand. */
const prefixes = '¬∀∃∄∇∂√'

/** The parts beside each other in one line. */
export function lineOf(nodes: readonly MathNode[], depth: number): string {
  let line = ''
  let before: Part | undefined
  const parts = nodes.flatMap((node) => partsOf(node, depth))
  for (const [index, part] of parts.entries()) {
    const isAlone = !isFactor(before, true) && !isFactor(parts[index + 1], false)
    line += gapBetween(before, part) + (part.kind === 'fraction' && !isAlone ? `(${part.text})` : part.text)
    before = part
  }
  return line.replaceAll(/(?<=\S) +/g, (spaces) => (spaces.length > 2 ? '  ' : ' ')).replaceAll(/ +\n/g, '\n')
}

/** Whether a fraction before or after the part would seem to include it. */
function isFactor(part: Part | undefined, isBefore: boolean): boolean {
  if (part === undefined || ['operator', 'separator', 'space'].includes(part.kind)) return false
  if (part.kind === 'large') return !isBefore
  return !(isBefore ? /^[−+±([{⟨|‖]$/ : /^[)\]}⟩|‖!]/).test(part.text)
}

function gapBetween(before: Part | undefined, { kind, text }: Part): string {
  if (before === undefined || before.kind === 'space' || kind === 'space' || kind === 'separator') return ''
  if (kind === 'operator' || ['operator', 'separator', 'large'].includes(before.kind)) return ' '
  const isOpened = /[([{⟨|‖−+±]$/.test(before.text) && before.kind === 'operand'
  if (kind === 'large') return isOpened ? '' : ' '
  const isWord = kind === 'word' || before.kind === 'word'
  return isWord && !isOpened && !/^[([{⟨|)\]}⟩]/.test(text) ? ' ' : ''
}

/** Throws for a node that text cannot show. The formula is then shown as its source. */
function partsOf(node: MathNode, depth: number): Part[] {
  const { type, children = [], text } = node
  checkDepth(depth)
  const below = depth + 1
  const inner = (index: number): string => lineOf(children.slice(index, index + 1), below)
  const operand = (written: string): Part[] => [{ text: written, kind: 'operand' }]
  const base = children[0] ?? {}
  switch (type) {
    case undefined:
      return text === undefined ? children.flatMap((child) => partsOf(child, below)) : operand(plainLetters(text))
    case 'math':
    case 'mrow':
    case 'mstyle':
    case 'mpadded':
    case 'mtd':
      return children.flatMap((child) => partsOf(child, below))
    case 'mi':
    case 'mn':
      return [symbol(textIn(node))]
    case 'mtext':
      return operand(textIn(node).replaceAll('\u00a0', ' '))
    case 'mo':
      return operator(node)
    case 'mspace':
      return space(node)
    case 'mfrac':
      return fraction(node, below)
    case 'msqrt':
      return operand(root('√', children, below))
    case 'mroot':
      return operand(root(rootSign(inner(1)), [base], below))
    case 'msup':
      return scripts(base, undefined, inner(1), below)
    case 'msub':
      return scripts(base, inner(1), undefined, below)
    case 'msubsup':
      return scripts(base, inner(1), inner(2), below)
    case 'munder':
    case 'munderover':
      return limits(node, below)
    case 'mover':
      return children[1]?.type === 'mo' ? operand(accented(inner(0), inner(1))) : limits(node, below)
    case 'menclose':
      if (node.attributes?.['notation'] !== 'top') throw new RangeError()
      return operand(Array.from(lineOf(children, below), (letter) => letter + '\u0305').join(''))
    case 'mtable':
      return operand(table(node, below))
    default:
      throw new RangeError()
  }
}

function textIn({ text, children = [] }: MathNode): string {
  return plainLetters(text ?? children.map(textIn).join(''))
}

/** Letters and digits in bold, italics or script become plain ones: few terminals have them. Double-struck ones stay. */
function plainLetters(text: string): string {
  return text.replaceAll(/[\u{1d400}-\u{1d537}\u{1d56c}-\u{1d7ff}]/gu, (letter) => letter.normalize('NFKC'))
}

/** A name of several letters, such as `sin`, stands apart from its neighbours. */
function symbol(text: string): Part {
  return { text, kind: /^\p{L}{2,}$/u.test(text) ? 'word' : 'operand' }
}

function operator({ attributes = {}, ...node }: MathNode): Part[] {
  // `\\\\` outside of a table is an operator without a text.
  if (node.children?.length === 0) return [{ text: '\n', kind: 'space' }]
  const text = textIn(node)
  // The application of a function is not shown.
  if (text === '' || text === '\u2061') return []
  if (attributes['separator'] === 'true') return [{ text, kind: 'separator' }]
  if (bigOperators.includes(text)) return [{ text, kind: 'large' }]
  const isUnary = attributes['form'] === 'prefix' || attributes['form'] === 'postfix' || attributes['fence'] === 'true'
  const isSpaced = attributes['lspace'] === undefined || Number.parseFloat(attributes['lspace']) > 0
  const isOperator = /^[\p{Sm}←-⇿⟵-⟿∶:]+$/u.test(text) && !isUnary && isSpaced && !prefixes.includes(text)
  return [{ text, kind: isOperator ? 'operator' : 'operand' }]
}

function space({ attributes = {} }: MathNode): Part[] {
  if (attributes['linebreak'] === 'newline') return [{ text: '\n', kind: 'space' }]
  const width = Number.parseFloat(attributes['width'] ?? '0')
  return width < 0.16 ? [] : [{ text: width < 1 ? ' ' : '   ', kind: 'space' }]
}

function fraction({ children = [], attributes = {} }: MathNode, depth: number): Part[] {
  const [above = '', below = ''] = children.map((child) => lineOf([child], depth))
  // `\binom`, between parentheses of its own.
  if (attributes['linethickness'] === '0px') return [{ text: `${above} choose ${below}`, kind: 'operand' }]
  const isDifferential = /^[d∂]\p{L}\p{No}*$/u.test(below)
  const divisor = isDifferential || isSingle(children[1], below) ? below : `(${below})`
  return [{ text: `${/[\s/]/.test(above) && !isGroup(above) ? `(${above})` : above}/${divisor}`, kind: 'fraction' }]
}

function root(sign: string, children: readonly MathNode[], depth: number): string {
  const text = lineOf(children, depth)
  return sign + (isSingle({ children }, text) || isGroup(text) ? text : `(${text})`)
}

function rootSign(index: string): string {
  return index === '3' ? '∛' : index === '4' ? '∜' : `${superscript(index)}√`
}

function scripts(base: MathNode, below: string | undefined, above: string | undefined, depth: number): Part[] {
  const parts = partsOf(base, depth)
  const text = lineOf([base], depth)
  const isWhole = parts.length <= 1 ? parts[0]?.kind !== 'fraction' : isGroup(text)
  const written = (isWhole ? text : `(${text})`) + subscript(below ?? '') + superscript(above ?? '')
  return [{ text: written, kind: isWhole ? (parts[0]?.kind ?? 'operand') : 'operand' }]
}

/** Writes the texts below and above a large operator or a name. Throws for an arrow or a brace. */
function limits(node: MathNode, depth: number): Part[] {
  const { type, children = [] } = node
  const [base = {}, ...texts] = children
  const [name, ...others] = partsOf(base, depth)
  if (name === undefined || others.length > 0 || !['large', 'word'].includes(name.kind)) throw new RangeError()
  const [one, other] = texts.map((child) => lineOf([child], depth))
  const [below, above] = type === 'mover' ? [undefined, one] : [one, other]
  return scripts(base, below, above, depth).map(({ text }) => ({ text, kind: 'large' }))
}

/** The combining characters of accents. */
const accents: Readonly<Record<string, string>> = {
  ˆ: '\u0302',
  '^': '\u0302',
  '˜': '\u0303',
  '~': '\u0303',
  ˉ: '\u0304',
  '¯': '\u0304',
  '‾': '\u0304',
  '→': '\u20d7',
  '˙': '\u0307',
  '¨': '\u0308',
  ˇ: '\u030c',
  '˘': '\u0306',
  '´': '\u0301',
  '`': '\u0300',
}

/** Throws for an accent over several letters, such as a brace. */
function accented(letter: string, accent: string): string {
  const mark = accents[accent]
  if (mark === undefined || !/^\p{L}\p{M}*$/u.test(letter)) throw new RangeError()
  return (letter + mark).normalize('NFC')
}

/** The texts of the cells, row by row. */
export function tableCells({ children: rows = [] }: MathNode, depth: number): string[][] {
  return rows.map(({ children = [] }) => children.map((cell) => lineOf([cell], depth)))
}

/** The rows of equations in lines of their own, and those of matrices and cases divided by semicolons. */
function table(node: MathNode, depth: number): string {
  const { children: rows = [], attributes = {} } = node
  const cells = tableCells(node, depth)
  if (attributes['displaystyle'] !== 'true') return cells.map((row) => row.filter(Boolean).join(', ')).join('; ')
  const isRight = (column: number): boolean => rows[0]?.children?.[column]?.classes?.includes('tml-right') === true
  const filled = Array.from(cells[0] ?? [], (_, column) => column).filter((column) => cells.some((row) => row[column]))
  const widths = filled.map((column) => Math.max(...cells.map((row) => widthOf(row[column] ?? ''))))
  const padded = (text: string, index: number): string =>
    isRight(filled[index]!) ? ' '.repeat(widths[index]! - widthOf(text)) + text : text
  return cells.map((row) => filled.map((column, index) => padded(row[column] ?? '', index)).join(' ')).join('\n')
}

/** Whether the text of the node needs no parentheses: a number, a letter with its scripts, a word or a root. */
function isSingle(node: MathNode | undefined, text: string): boolean {
  if (/^(?:[\d.]+|\p{L}[\p{M}′″‴]*)$/u.test(text)) return true
  const { type, children = [] } = node ?? {}
  if (type === undefined || type === 'mrow' || type === 'mstyle')
    return children.length === 1 && isSingle(children[0], text)
  if (type === 'mtext' || type === 'mi') return /^[\p{L}\p{N}]+$/u.test(text)
  return ['msub', 'msup', 'msubsup', 'msqrt', 'mroot'].includes(type)
}

/** Whether one pair of parentheses is around the whole text. */
function isGroup(text: string): boolean {
  if (!/^\(.*\)$/s.test(text)) return false
  let open = 0
  for (const [index, character] of Array.from(text).entries()) {
    if (character === '(') open++
    else if (character === ')' && --open === 0) return index === Array.from(text).length - 1
  }
  return false
}
