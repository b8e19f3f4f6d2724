import type { Token, Tokens, TokensList } from 'marked'
import { closeOpen } from '../../../cli/src/markdown/unfinished.ts'
import { lexerFor } from '../../../cli/src/markdown/lexer/lexer.ts'

/** A top-level block of Markdown. Its identity stays the same while its source does. */
export interface Block {
  key: number
  token: Token
}

type Links = TokensList['links']

/**
 * Reads Markdown that grows, and reads only its end again: a block that is followed by two others can no longer change, except
 * by the definition of a link or a footnote in it. So a long reply costs as much a piece at its end as at its beginning.
 */
export class BlockLexer {
  readonly #finished: Block[] = []
  #text = ''
  /** The length of the text that the finished blocks were read from. */
  #finishedLength = 0
  /** The definitions in the finished blocks. An address in an open block may still grow. */
  #links: Links = {}
  #open: Block[] = []
  /** The definitions that the open blocks were read with. */
  #openLinks: Links = {}

  /** Returns the blocks of the text. A text that does not continue the previous one is read from its start. */
  read(text: string): readonly Block[] {
    if (!text.startsWith(this.#text)) this.#reset()
    if (text !== this.#text || this.#open.length === 0) {
      this.#text = text
      this.#readEnd()
      this.#finish()
    }
    return [...this.#finished, ...this.#open]
  }

  /** The blocks of a text that still arrives: the last one with its open emphasis, code, links and elements closed. */
  preview(text: string): readonly Block[] {
    const blocks = this.read(text)
    const last = blocks.at(-1)
    if (!last) return blocks
    const { raw } = last.token
    const closed = closedSource(last.token)
    if (closed === raw.trimEnd()) return blocks
    const shown = lex(closed, this.#links).tokens.map((token, index) => ({ key: last.key + index, token }))
    return [...blocks.slice(0, -1), ...shown]
  }

  #readEnd(): void {
    const { tokens, links } = lex(this.#text.slice(this.#finishedLength), this.#links)
    const changed = changedLabels(this.#openLinks, links)
    this.#openLinks = links
    if (changed.some((label) => this.#isUsedBefore(label))) {
      this.#reset()
      return this.#readEnd()
    }
    const first = this.#finished.length
    this.#open = tokens.map((token, index) => {
      const before = this.#open[index]
      return before && changed.length === 0 && isSame(before.token, token) ? before : { key: first + index, token }
    })
  }

  /** Whether a finished block uses a definition, so that it has to be read again when that has arrived or changed. */
  #isUsedBefore(label: string): boolean {
    return this.#text.slice(0, this.#finishedLength).toLowerCase().includes(`[${label}]`)
  }

  #finish(): void {
    const lastFinished = this.#open.filter(({ token }) => token.type !== 'space').at(-3)
    if (!lastFinished) return
    const blocks = this.#open.splice(0, this.#open.indexOf(lastFinished) + 1)
    const source = blocks.map(({ token }) => token.raw).join('')
    this.#finished.push(...blocks)
    this.#finishedLength += source.length
    if (source.includes(']:')) this.#links = lex(source, this.#links).links
  }

  #reset(): void {
    this.#finished.length = 0
    this.#finishedLength = 0
    this.#links = {}
    this.#open = []
  }
}

/** The labels of definitions that are not in both, or not with the same address and title. */
function changedLabels(before: Links, after: Links): string[] {
  return Object.keys({ ...before, ...after }).filter(
    (label) => JSON.stringify(before[label]) !== JSON.stringify(after[label]),
  )
}

/** A table has no rows before the line below its head has arrived. */
const tableHead = /^( {0,3}\|[^\n]*)(?:\n[\s|:-]*)?$/
/** A tag that has not ended. */
const openTag = /<\/?[a-z]*$/i

/** The source of a block that still arrives, with what is open at its end closed. */
function closedSource(token: Token): string {
  const { raw } = token
  const type = lastType(token)
  if (type === 'html' || type === 'details') return raw.replace(openTag, '').trimEnd()
  const [, head] = (token.type === 'paragraph' && tableHead.exec(raw)) || []
  if (head !== undefined && !/[^|\s]/.test(head)) return ''
  if (head !== undefined) return `${head}\n${'|-'.repeat(head.replace(/\|\s*$/, '').split('|').length - 1)}|`
  const lastLine = type === 'table' ? raw.trimEnd().lastIndexOf('\n') + 1 : 0
  return proseTypes.has(type) ? raw.slice(0, lastLine) + closeOpen(raw.slice(lastLine)).text : raw.trimEnd()
}

const proseTypes = new Set(['paragraph', 'heading', 'text', 'table'])

/** The type of the block that the text ends in, inside lists and quotes. */
function lastType(token: Token): string {
  const { items, tokens } = token as Tokens.Generic
  const inner: Token[] = token.type === 'list' ? items : ['blockquote', 'list_item'].includes(token.type) ? tokens : []
  const last = inner.at(-1)
  return last ? lastType(last) : token.type
}

/** With one source a block may be a heading or a paragraph: the text behind `$$` shows whether that begins a formula. */
function isSame(a: Token, b: Token): boolean {
  return a.raw === b.raw && a.type === b.type && textOf(a) === textOf(b)
}

function textOf(token: Token): string | undefined {
  return 'text' in token ? token.text : undefined
}

/** Lexes Markdown. Text that nests deeper than the lexer can follow is one paragraph of plain text. */
function lex(text: string, links: Links): { tokens: readonly Token[]; links: Links } {
  // The lexer takes `\r\n` as `\n`. Then the lengths of its tokens would no longer add up to that of the text.
  const source = text.replaceAll(/\r\n?/g, (ending) => (ending.length === 2 ? ' \n' : '\n'))
  const tokens = lexed(source, links) ?? lexed(withoutDeepQuotes(source), links)
  return tokens ? { tokens, links: tokens.links } : { tokens: [{ type: 'text', raw: text, text }], links }
}

/** Undefined if the text nests too deeply. */
function lexed(source: string, links: Links): TokensList | undefined {
  const lexer = lexerFor(source)
  Object.assign(lexer.tokens.links, links)
  try {
    return lexer.lex(source)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

const deepQuote = /^((?: {0,3}> ?){24})([> ]*>)/gm

/** The text with the marks of quotes below the 24th level as other characters, so that the rest keeps its form. */
function withoutDeepQuotes(source: string): string {
  return source.replace(deepQuote, (_, kept: string, deeper: string) => kept + deeper.replaceAll('>', '›'))
}
