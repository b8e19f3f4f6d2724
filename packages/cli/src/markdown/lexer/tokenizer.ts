import { Tokenizer, type Tokens } from 'marked'
import { startOfBlock } from '../formula/formula-lexer.ts'

/** Letters and punctuation of Chinese, Japanese and Korean. */
export const eastAsian: RegExp = /[\u2e80-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]/
const punctuation = /[\p{P}\p{S}]/u
const emphasis = /^(\*\*?)(?![\s*])([^*\n]+)(?<!\s)\1(?!\*)/

/** The rules of marked, with two that differ. */
export class ExtendedTokenizer extends Tokenizer {
  /** Looks for an underlined heading no further than the next formula: each look at a whole text would take too long. */
  override lheading(source: string): Tokens.Heading | undefined {
    return super.lheading(source.slice(0, startOfBlock(source)))
  }

  /**
   * Reads `**「a」**は` as emphasis. CommonMark tells marks that open from those that close by the spaces and the punctuation
   * beside them, and East Asian text has no spaces. So a mark between its punctuation and such a letter is read from the other.
   */
  override emStrong(source: string, masked: string, previous = ''): Tokens.Em | Tokens.Strong | undefined {
    // Code and links are masked: marks in them are text.
    const [found, mark = '', inner = ''] = emphasis.exec(masked.slice(-source.length)) ?? []
    const isBeside = (end: string, outside: string): boolean => punctuation.test(end) && eastAsian.test(outside)
    const isEastAsian =
      isBeside(inner.slice(0, 1), previous) || isBeside(inner.slice(-1), source[found?.length ?? 0] ?? '')
    if (found === undefined || !isEastAsian) return super.emStrong(source, masked, previous)
    const raw = source.slice(0, found.length)
    const text = raw.slice(mark.length, -mark.length)
    return { type: mark === '*' ? 'em' : 'strong', raw, text, tokens: this.lexer.inlineTokens(text) }
  }
}
