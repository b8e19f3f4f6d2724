import type { TokenizerThis, Tokens } from 'marked'

/** The number of a footnote in a text: `[^1]`. */
export interface FootnoteToken {
  type: 'footnote'
  raw: string
  number: string
}

// Only numbers: other characters may be a set of a regular expression.
const mark = /^\[\^(\d{1,3})\]/
const definition = /^ {0,3}(\[\^\d{1,3}\]):[ \t]*(\S.*(?:\n(?!\s*(?:\n|$|\[\^\d)).*)*)\n*/

export function footnote(source: string): FootnoteToken | undefined {
  const [raw, number] = mark.exec(source) ?? []
  return raw === undefined ? undefined : { type: 'footnote', raw, number: number! }
}

/** The text of a footnote, `[^1]: text`, as a paragraph that begins with its number. */
export function footnoteText({ lexer }: TokenizerThis, source: string): Tokens.Paragraph | undefined {
  const [raw, number, words] = definition.exec(source) ?? []
  if (raw === undefined) return undefined
  const text = `${number} ${words}`
  return { type: 'paragraph', raw, text, tokens: lexer.inline(text) }
}
