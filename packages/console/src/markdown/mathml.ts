import { type ComponentChildren, type VNode, h } from 'preact'
import temml from 'temml'
import 'temml/dist/Temml-Local.css'

/** A node of the tree that Temml makes: an element, or a text. */
interface TreeNode {
  type?: string
  attributes?: Readonly<Record<string, string>>
  classes?: readonly string[]
  style?: Readonly<Record<string, string>>
  children?: readonly TreeNode[]
  text?: string
}

/** Longer formulas are shown as their source, and so are those that nest deeper. */
const maxLength = 5_000
const maxDepth = 100

/** `\href`, `\includegraphics` and the like are errors. A size is at most 20 em or 300 points. */
const options = { throwOnError: true, trust: false, maxExpand: 1_000, maxSize: [20, 300] as [number, number] }

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

/** Converts TeX into MathML. Undefined if the source is not valid, is too long or nests too deeply. */
export function mathMl(tex: string, isDisplay: boolean): VNode | undefined {
  if (tex.length > maxLength) return undefined
  try {
    const tree = temml['__renderToMathMLTree'](tex, { ...options, displayMode: isDisplay }) as TreeNode
    return vnode(tree, 0) as VNode
  } catch {
    // Invalid TeX is a ParseError, and TeX that nests too deeply a RangeError: of Temml's recursion or of ours.
    return undefined
  }
}

function vnode(
  { type, attributes: given = {}, classes, style, children = [], text }: TreeNode,
  depth: number,
): ComponentChildren {
  if (text !== undefined) return text
  if (depth > maxDepth) throw new RangeError()
  const inner = children.map((child) => vnode(child, depth + 1))
  if (type === undefined || !elements.has(type)) return inner
  const known = Object.entries(given).filter(([name]) => attributes.has(name))
  return h(type, { ...Object.fromEntries(known), class: classes?.join(' ') || undefined, style }, inner)
}
