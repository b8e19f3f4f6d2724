import { Lexer, type MarkedOptions, type Token, type TokenizerThis } from 'marked'
import { blockFormula, inlineFormula, startOfBlock, startOfInline } from '../formula/formula-lexer.ts'
import { details } from './details.ts'
import { footnote, footnoteText } from './footnote.ts'
import { eastAsian, ExtendedTokenizer } from './tokenizer.ts'

const plain: MarkedOptions = { gfm: true, breaks: true }
const extended: MarkedOptions = {
  ...plain,
  tokenizer: new ExtendedTokenizer(),
  extensions: {
    renderers: {},
    childTokens: {},
    block: [block],
    startBlock: [startOfBlock],
    inline: [inlineFormula, inlineFootnote],
    startInline: [startOfInline],
  },
}

function block(this: TokenizerThis, source: string): Token | undefined {
  return blockFormula(this, source) ?? details(this, source) ?? footnoteText(this, source)
}

function inlineFootnote(this: TokenizerThis, source: string): Token | undefined {
  return footnote(this, source)
}

/** The tokens of a text that is one line. */
export function lineTokens(source: string): Token[] {
  return lexerFor(source).inlineTokens(source.trim())
}

/** Text that plain Markdown reads in another way. It has a formula, a footnote, a folded part or East Asian emphasis. */
const needsExtensions = new RegExp(String.raw`\$|\\[([]|\[\^|<details|\*${eastAsian.source}|${eastAsian.source}\*`, 'i')

/**
 * A lexer for a text of Markdown with formulas (`$$…$$` and `\[…\]` as blocks, these and `$…$` and `\(…\)` in lines), footnotes,
 * folded parts and East Asian emphasis. It and its tokenizer come from one copy of marked: it reads some tables in another way
 * with the tokenizer of a second copy.
 */
export function lexerFor(source: string): Lexer {
  return new Lexer(needsExtensions.test(source) ? extended : plain)
}
