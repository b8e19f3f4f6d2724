import { type ComponentChildren, type VNode, h } from 'preact'
import temml from 'temml'
import 'temml/dist/Temml-Local.css'
import {
  attributesOf,
  checkDepth,
  drawFormula,
  elementOf,
  type MathNode,
} from '../../../cli/src/markdown/formula/math-tree.ts'

/** Converts TeX into MathML. Undefined if the source is not valid, is too long or nests too deeply. */
export function mathMl(tex: string, isDisplay: boolean): VNode | undefined {
  return drawFormula(temml, tex, isDisplay, (tree) => vnode(tree, 0) as VNode)
}

function vnode(node: MathNode, depth: number): ComponentChildren {
  const { text, children = [], classes, style } = node
  if (text !== undefined) return text
  checkDepth(depth)
  const inner = children.map((child) => vnode(child, depth + 1))
  const element = elementOf(node)
  if (element === undefined) return inner
  return h(element, { ...Object.fromEntries(attributesOf(node)), class: classes?.join(' ') || undefined, style }, inner)
}
