import type { TokenizerThis, Tokens } from 'marked'

/** The name of a footnote in a text: `[^1]`. */
export interface FootnoteToken {
  type: 'footnote'
  raw: string
  name: string
}

const mark = /^\[\^([\p{L}\p{N}_-]{1,40})\]/u
const definition = /^ {0,3}(\[\^([\p{L}\p{N}_-]{1,40})\]):[ \t]*(\S.*(?:\n(?!\s*(?:\n|$|\[\^[\p{L}\p{N}])).*)*)/u

/** A number, or a name that has a note. Other names may be a set of a regular expression: `[^abc]`. */
export function footnote({ lexer }: TokenizerThis, source: string): FootnoteToken | undefined {
  const [raw, name = ''] = mark.exec(source) ?? []
  const isKnown = /^\d{1,3}$/.test(name) || labelOf(name) in lexer.tokens.links
  return raw === undefined || !isKnown ? undefined : { type: 'footnote', raw, name }
}

/** The text of a footnote, `[^1]: text`, as a paragraph that begins with its name. */
export function footnoteText({ lexer }: TokenizerThis, source: string): Tokens.Paragraph | undefined {
  const [raw, shown, name = '', words] = definition.exec(source) ?? []
  if (raw === undefined) return undefined
  lexer.tokens.links[labelOf(name)] ??= { href: '', title: '' }
  const text = `${shown} ${words}`
  return { type: 'paragraph', raw, text, tokens: lexer.inline(text) }
}

/** The place of a note among the definitions of links. */
function labelOf(name: string): string {
  return `^${name.toLowerCase()}`
}
