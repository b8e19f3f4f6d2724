import { Lexer, type Token, type TokensList } from 'marked'
import { formulaOptions, mayHaveFormulas } from '../../../cli/src/markdown/formula/formula-lexer.ts'

/** A top-level block of Markdown. Its identity stays the same while its source does. */
export interface Block {
  key: number
  token: Token
}

const options = { gfm: true, breaks: true }
const withFormulas = { ...options, ...formulaOptions }

/**
 * Reads Markdown that grows, and reads only its end again: a block that is followed by two others can no longer change. So a
 * long reply costs as much a piece at its end as at its beginning.
 */
export class BlockLexer {
  readonly #finished: Block[] = []
  readonly #links: TokensList['links'] = {}
  #text = ''
  /** The length of the text that the finished blocks were read from. */
  #finishedLength = 0
  #open: Block[] = []

  /** Returns the blocks of the text. A text that does not continue the previous one is read from its start. */
  read(text: string): readonly Block[] {
    if (!text.startsWith(this.#text)) this.#reset()
    if (text !== this.#text || this.#open.length === 0) {
      this.#text = text
      this.#readEnd(text.slice(this.#finishedLength))
    }
    return [...this.#finished, ...this.#open]
  }

  #readEnd(rest: string): void {
    const tokens = tokensOf(rest, this.#links)
    const first = this.#finished.length
    this.#open = tokens.map((token, index) => {
      const before = this.#open[index]
      return before?.token.raw === token.raw ? before : { key: first + index, token }
    })
    const visible = this.#open.filter(({ token }) => token.type !== 'space')
    const lastFinished = visible.at(-3)
    if (!lastFinished) return
    const count = this.#open.indexOf(lastFinished) + 1
    for (const block of this.#open.splice(0, count)) {
      this.#finished.push(block)
      this.#finishedLength += block.token.raw.length
    }
  }

  #reset(): void {
    this.#finished.length = 0
    this.#finishedLength = 0
    this.#open = []
  }
}

/** Lexes Markdown. Text that nests deeper than the lexer can follow is one paragraph of plain text. */
function tokensOf(text: string, links: TokensList['links']): Token[] {
  // The lexer takes `\r\n` as `\n`. Then the lengths of its tokens would no longer add up to that of the text.
  const source = text.replaceAll(/\r\n?/g, (ending) => (ending.length === 2 ? ' \n' : '\n'))
  return lexed(source, links) ?? lexed(withoutDeepQuotes(source), links) ?? [{ type: 'text', raw: text, text }]
}

/** Undefined if the text nests too deeply. */
function lexed(source: string, links: TokensList['links']): Token[] | undefined {
  const lexer = new Lexer(mayHaveFormulas(source) ? withFormulas : options)
  Object.assign(lexer.tokens.links, links)
  try {
    const tokens = [...lexer.lex(source)]
    Object.assign(links, lexer.tokens.links)
    return tokens
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
