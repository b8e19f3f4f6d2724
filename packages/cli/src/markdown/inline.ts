import type { Token } from 'marked'
import { decodeEntities } from './entities.ts'
import { lexerFor, type FormulaToken } from './formula/formula-lexer.ts'
import { formulaText } from './formula/formula-text.ts'
import { safeAddress, safeText } from '../terminal/safe-text.ts'
import type { Painter, Span, Style } from '../terminal/style.ts'

/** The link definitions (`[label]: address`) so far. */
export type LinkDefinitions = Record<string, { href: string; title: string | null }>

/** Renders emphasis, code, links, formulas and line breaks. */
export function inlineSpans(source: string, base: Style, definitions: LinkDefinitions, paint: Painter): Span[] {
  const lexer = lexerFor(source)
  lexer.tokens.links = definitions
  return lexer.inlineTokens(source, []).flatMap((token) => spansOf(token, base, paint))
}

function spansOf(token: Token, style: Style, paint: Painter): Span[] {
  const children = (inner: Style): Span[] =>
    (('tokens' in token && token.tokens) || []).flatMap((child: Token) => spansOf(child, inner, paint))
  switch (token.type) {
    case 'text':
      return [{ text: decodeEntities(token.raw, printable), style }]
    case 'escape':
      return [{ text: token.raw.slice(1), style }]
    case 'strong':
      return children({ ...style, bold: true })
    case 'em':
      return children({ ...style, italic: true })
    case 'del':
      return children({ ...style, strike: true })
    case 'codespan':
      return [{ text: (token as { text: string }).text.replaceAll('\n', ' '), style: { ...style, color: 'cyan' } }]
    case 'br':
      return [{ text: '\n', style }]
    case 'formula':
      return [{ text: formulaText((token as FormulaToken).tex) ?? token.raw, style }]
    case 'link':
      return linkSpans(token as { href: string; text: string }, children, style, paint)
    case 'image':
      return imageSpans(token as { href: string; text: string }, style, paint)
    case 'html':
      return /^<br\s*\/?>$/i.test(token.raw) ? [{ text: '\n', style }] : [{ text: token.raw, style }]
    default:
      return [{ text: token.raw, style }]
  }
}

function linkSpans(
  { href, text }: { href: string; text: string },
  children: (style: Style) => Span[],
  style: Style,
  paint: Painter,
): Span[] {
  const address = safeAddress(href)
  if (address === undefined) return children(style)
  const linked = { ...style, underline: true }
  if (paint.links) return children({ ...linked, link: address })
  const isBare = address === text || address === `mailto:${text}` || address === `http://${text}`
  return isBare ? children(linked) : [...children(linked), { text: ` (${address})`, style }]
}

/** Shows an image as a link. It is never fetched, as its address could carry text of the conversation to another server. */
function imageSpans({ href, text }: { href: string; text: string }, style: Style, paint: Painter): Span[] {
  const address = safeAddress(href)
  const label = { text: `[image${text === '' ? '' : `: ${text}`}]`, style: { ...style, dim: true } }
  if (address === undefined) return [label]
  if (paint.links) return [{ ...label, style: { ...label.style, link: address } }]
  return [label, { text: ` (${address})`, style }]
}

/** Control characters are removed before entities are decoded, so an entity must not bring one back. */
function printable(character: string): string {
  return character < ' ' ? '' : safeText(character)
}
