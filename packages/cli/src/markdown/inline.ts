import type { Token } from 'marked'
import { decodeEntities } from './entities.ts'
import type { FormulaToken } from './formula/formula-lexer.ts'
import { subscript, superscript } from './formula/scripts.ts'
import { type ElementName, type ElementToken, withElements } from './lexer/element.ts'
import type { FootnoteToken } from './lexer/footnote.ts'
import { lexerFor } from './lexer/lexer.ts'
import { formulaText } from './formula/formula-text.ts'
import { safeAddress, safeText } from '../terminal/safe-text.ts'
import type { Painter, Span, Style } from '../terminal/style.ts'

/** The link definitions (`[label]: address`) so far. */
export type LinkDefinitions = Record<string, { href: string; title: string | null }>

/** Renders emphasis, code, links, formulas and line breaks. */
export function inlineSpans(source: string, base: Style, definitions: LinkDefinitions, paint: Painter): Span[] {
  const lexer = lexerFor(source)
  lexer.tokens.links = definitions
  return spans(lexer.inlineTokens(source, []), base, paint)
}

function spans(tokens: readonly Token[], style: Style, paint: Painter): Span[] {
  return withElements(tokens).flatMap((token) => spansOf(token, style, paint))
}

function spansOf(token: Token, style: Style, paint: Painter): Span[] {
  const children = (inner: Style): Span[] => spans(('tokens' in token && token.tokens) || [], inner, paint)
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
    case 'element':
      return elementSpans((token as ElementToken).name, children, style)
    case 'footnote':
      return [{ text: `[${(token as FootnoteToken).name}]`, style }]
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

/** The look of elements. `sub` and `sup` are written in other characters, as far as Unicode has them. */
const looks: Record<ElementName, Style> = {
  b: { bold: true },
  strong: { bold: true },
  i: { italic: true },
  em: { italic: true },
  u: { underline: true },
  ins: { underline: true },
  s: { strike: true },
  del: { strike: true },
  code: { color: 'cyan' },
  kbd: { color: 'cyan' },
  mark: { inverse: true },
  sub: {},
  sup: {},
}

function elementSpans(name: ElementName, children: (style: Style) => Span[], style: Style): Span[] {
  const inner = children({ ...style, ...looks[name] })
  if (name !== 'sub' && name !== 'sup') return inner
  const write = name === 'sub' ? subscript : superscript
  return inner.map((span) => ({ ...span, text: write(span.text) }))
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
