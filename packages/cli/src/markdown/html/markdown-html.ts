import type { Token, Tokens } from 'marked'
import { safeAddress } from '../../terminal/safe-text.ts'
import { colourCode } from '../code.ts'
import { decodeEntities } from '../entities.ts'
import type { FormulaToken } from '../formula/formula-lexer.ts'
import type { DetailsToken } from '../lexer/details.ts'
import { beginsWithElement, type ElementToken, withElements } from '../lexer/element.ts'
import type { FootnoteToken } from '../lexer/footnote.ts'
import { lexerFor, lineTokens } from '../lexer/lexer.ts'
import { escapeHtml } from './escape.ts'
import { mathHtml } from './math-html.ts'

/** Blocks inside each other. Deeper ones are shown as their source. */
const maxDepth = 24

/**
 * Renders Markdown as HTML that loads nothing and runs nothing: HTML elements that change the look of text or fold it are
 * written without their attributes, and other HTML as its source. Images are links, and links lead to `https:`, `http:` and
 * `mailto:` only. A text that nests too deeply for the parser is shown as its source.
 */
export function markdownHtml(text: string): string {
  try {
    return blocks(lexerFor(text).lex(text), 0)
  } catch (error) {
    if (error instanceof RangeError) return `<pre>${escapeHtml(text)}</pre>`
    throw error
  }
}

function blocks(tokens: readonly Token[], depth: number): string {
  return tokens
    .map((token) => block(token, depth))
    .filter((html) => html !== '')
    .join('\n')
}

function block(token: Token, depth: number): string {
  if (depth > maxDepth) return `<pre>${escapeHtml(token.raw)}</pre>`
  switch (token.type) {
    case 'space':
    case 'def':
    case 'checkbox':
      return ''
    case 'heading':
      // The page has the first two levels for itself.
      return element(`h${Math.min(6, (token as Tokens.Heading).depth + 2)}`, inline(token.tokens))
    case 'paragraph':
      return element('p', inline(token.tokens))
    case 'text':
      return token.tokens === undefined ? element('p', escapeHtml(token.raw)) : inline(token.tokens)
    case 'code':
      return code(token as Tokens.Code)
    case 'formula':
      return element('div', formula(token as FormulaToken))
    case 'blockquote':
      return element('blockquote', blocks((token as Tokens.Blockquote).tokens, depth + 1))
    case 'list':
      return list(token as Tokens.List, depth)
    case 'table':
      return table(token as Tokens.Table)
    case 'hr':
      return '<hr>'
    case 'details':
      return details(token as DetailsToken, depth)
    case 'html':
      return element('p', beginsWithElement(token.raw) ? inline(lineTokens(token.raw)) : escapeHtml(token.raw))
    default:
      return element('p', escapeHtml(token.raw))
  }
}

function details({ summary, tokens, isOpen }: DetailsToken, depth: number): string {
  return `<details${isOpen ? ' open' : ''}>${element('summary', inline(summary))}${blocks(tokens, depth + 1)}</details>`
}

/** Code with the names of its parts as classes, which the page colours. */
function code({ text, lang = '' }: Tokens.Code): string {
  const inner = colourCode(text, lang, (piece, name) => {
    const html = escapeHtml(piece)
    return name === undefined || !/^[\w-]+$/.test(name) ? html : `<span class="${name}">${html}</span>`
  })
  return `<pre><code>${inner}</code></pre>`
}

function list({ ordered, start, items }: Tokens.List, depth: number): string {
  const lines = items.map((item) => {
    const box = item.task ? `<input type="checkbox" disabled${item.checked === true ? ' checked' : ''}> ` : ''
    return element('li', box + blocks(item.tokens, depth + 1))
  })
  const inner = lines.join('\n')
  return ordered ? `<ol start="${Number(start) || 1}">${inner}</ol>` : element('ul', inner)
}

function table({ header, rows }: Tokens.Table): string {
  const row = (name: string, cells: readonly Tokens.TableCell[]): string =>
    element(
      'tr',
      cells.map(({ tokens, align }) => `<${name} align="${align ?? 'left'}">${inline(tokens)}</${name}>`).join(''),
    )
  return `<table>${row('th', header)}${rows.map((cells) => row('td', cells)).join('\n')}</table>`
}

function inline(tokens: readonly Token[] | undefined): string {
  return withElements(tokens ?? [])
    .map(inlineToken)
    .join('')
}

function inlineToken(token: Token): string {
  switch (token.type) {
    case 'text':
      return escapeHtml(decodeEntities(token.raw))
    case 'escape':
      return escapeHtml(token.raw.slice(1))
    case 'strong':
    case 'em':
    case 'del':
      return element(token.type, inline((token as Tokens.Strong).tokens))
    case 'codespan':
      return element('code', escapeHtml((token as Tokens.Codespan).text))
    case 'br':
      return '<br>'
    case 'element':
      return element((token as ElementToken).name, inline((token as ElementToken).tokens))
    case 'footnote':
      return element('sup', (token as FootnoteToken).name)
    case 'formula':
      return formula(token as FormulaToken)
    case 'link':
      return link((token as Tokens.Link).href, inline((token as Tokens.Link).tokens))
    case 'image':
      // An image is not loaded: its address could carry text of the chat to another server.
      return link((token as Tokens.Image).href, escapeHtml(`[image: ${(token as Tokens.Image).text}]`))
    default:
      return /^<br\s*\/?>$/i.test(token.raw) ? '<br>' : escapeHtml(token.raw)
  }
}

function formula({ tex, raw, isDisplay }: FormulaToken): string {
  return mathHtml(tex, isDisplay) ?? element('code', escapeHtml(raw.trim()))
}

function link(href: string, inner: string): string {
  const address = safeAddress(href)
  return address === undefined ? inner : `<a href="${escapeHtml(address)}" rel="noopener noreferrer">${inner}</a>`
}

function element(name: string, inner: string): string {
  return `<${name}>${inner}</${name}>`
}
