import { attributesOf, checkDepth, elementOf, type MathNode } from '../formula/math-tree.ts'
import { drawTex } from '../formula/tex-reader.ts'
import { escapeHtml } from './escape.ts'

/** Converts TeX into MathML. Undefined if the source is not valid, is too long or nests too deeply. */
export function mathHtml(tex: string, isDisplay: boolean): string | undefined {
  return drawTex(tex, isDisplay, (tree) => htmlOf(tree, 0))
}

function htmlOf(node: MathNode, depth: number): string {
  const { text, children = [], classes = [], style = {} } = node
  if (text !== undefined) return escapeHtml(text)
  checkDepth(depth)
  const inner = children.map((child) => htmlOf(child, depth + 1)).join('')
  const element = elementOf(node)
  if (element === undefined) return inner
  const rules = Object.entries(style).map(
    ([name, value]) => `${name.replaceAll(/[A-Z]/g, '-$&').toLowerCase()}:${value}`,
  )
  const attributes = [...attributesOf(node), ['class', classes.join(' ')] as const, ['style', rules.join(';')] as const]
    .filter(([, value]) => value !== '')
    .map(([name, value]) => ` ${name}="${escapeHtml(value)}"`)
  return `<${element}${attributes.join('')}>${inner}</${element}>`
}
