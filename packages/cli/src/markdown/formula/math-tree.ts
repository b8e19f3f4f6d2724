/** A node of the MathML tree that Temml makes of TeX: an element, a text, or a list of nodes without a `type`. */
export interface MathNode {
  type?: string
  attributes?: Readonly<Record<string, string>>
  classes?: readonly string[]
  style?: Readonly<Record<string, string>>
  children?: readonly MathNode[]
  text?: string
}

/** The part of Temml that is used. */
export interface TexReader {
  __renderToMathMLTree(tex: string, options: object): unknown
}

/** Longer formulas are shown as their source, and so are those that nest deeper. */
const maxLength = 5_000
const maxDepth = 100

/** `\href`, `\includegraphics` and the like are errors. A size is at most 20 em or 300 points. */
const options = { throwOnError: true, trust: false, maxExpand: 1_000, maxSize: [20, 300] }

const elements = new Set(
  (
    'math menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt mstyle ' +
    'msub msubsup msup mtable mtd mtext mtr munder munderover none semantics span'
  ).split(' '),
)

const attributes = new Set(
  (
    'accent accentunder columnalign columnspan depth display displaystyle fence form height largeop linebreak linethickness ' +
    'lspace mathbackground mathcolor mathsize mathvariant maxsize minsize movablelimits notation rowspacing rowspan rspace ' +
    'scriptlevel separator stretchy symmetric voffset width'
  ).split(' '),
)

/** Reads TeX and draws its tree. Undefined if the source is not valid, is too long or nests too deeply, or `draw()` throws. */
export function drawFormula<T>(
  reader: TexReader,
  tex: string,
  isDisplay: boolean,
  draw: (tree: MathNode) => T,
): T | undefined {
  if (tex.length > maxLength) return undefined
  try {
    // Temml keeps the function from minifiers under this name.
    return draw(reader['__renderToMathMLTree'](tex, { ...options, displayMode: isDisplay }) as MathNode)
  } catch {
    // Invalid TeX is a ParseError, and TeX that nests too deeply a RangeError: of Temml's recursion or of ours.
    return undefined
  }
}

/** Throws a `RangeError` if a node is nested too deeply to be drawn. */
export function checkDepth(depth: number): void {
  if (depth > maxDepth) throw new RangeError()
}

/** The name of the node's element. Undefined: only its children are shown. */
export function elementOf({ type }: MathNode): string | undefined {
  return type !== undefined && elements.has(type) ? type : undefined
}

/** The attributes of the node that say how it looks. Others, such as addresses, are left out. */
export function attributesOf({ attributes: given = {} }: MathNode): Array<[name: string, value: string]> {
  return Object.entries(given).filter(([name]) => attributes.has(name))
}
