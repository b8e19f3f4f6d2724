import { Lexer, type MarkedOptions, type Token, type TokenizerThis } from 'marked'
import { blockFormula, FormulaTokenizer, inlineFormula, startOfBlock, startOfInline } from '../formula/formula-lexer.ts'
import { details } from './details.ts'
import { footnote, footnoteText } from './footnote.ts'

const plain: MarkedOptions = { gfm: true, breaks: true }
const extended: MarkedOptions = {
  ...plain,
  tokenizer: new FormulaTokenizer(),
  extensions: {
    renderers: {},
    childTokens: {},
    block: [block],
    startBlock: [startOfBlock],
    inline: [inlineFormula, footnote],
    startInline: [startOfInline],
  },
}

function block(this: TokenizerThis, source: string): Token | undefined {
  return blockFormula(this, source) ?? details(this, source) ?? footnoteText(this, source)
}

/** The tokens of a text that is one line. */
export function lineTokens(source: string): Token[] {
  return lexerFor(source).inlineTokens(source.trim())
}

/**
 * A lexer for a text of Markdown with formulas (`$$…$$` and `\[…\]` as blocks, these and `$…$` and `\(…\)` in lines), footnotes
 * and folded parts. It and its tokenizer come from one copy of marked: it reads some tables in another way with the tokenizer of
 * a second copy.
 */
export function lexerFor(source: string): Lexer {
  return new Lexer(/\$|\\[([]|\[\^\d|<details/i.test(source) ? extended : plain)
}
