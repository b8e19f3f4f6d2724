import type { Token, TokenizerThis } from 'marked'

/** A part that the reader can unfold: `<details>` with a `<summary>`. */
export interface DetailsToken {
  type: 'details'
  raw: string
  /** The text that is always shown. */
  summary: Token[]
  /** The blocks that are folded. */
  tokens: Token[]
  isOpen: boolean
}

const start = /^ {0,3}<details(\s[^>\n]*)?>/i
const tag = /<(\/?)details(?:\s[^>\n]*)?>/gi
const summaryPattern = /^\s*<summary(?:\s[^>\n]*)?>([^]*?)(?:<\/summary>|$)/i

/** Folded parts inside each other. Deeper ones are shown as their source. */
const maxDepth = 8

/** The state of a lexer, which is that of one text. */
type State = TokenizerThis['lexer']['state'] & { detailsDepth?: number }

/** Reads a folded part. One without an end, which may still arrive, reaches to the end of the text. */
export function details({ lexer }: TokenizerThis, source: string): DetailsToken | undefined {
  const [opening, attributes = ''] = start.exec(source) ?? []
  const state: State = lexer.state
  const { detailsDepth: depth = 0 } = state
  if (opening === undefined || depth >= maxDepth) return undefined
  const { inner, raw } = contentOf(source, opening.length)
  const [head = '', title = 'Details'] = summaryPattern.exec(inner) ?? []
  state.detailsDepth = depth + 1
  const tokens = lexer.blockTokens(inner.slice(head.length).replace(/^\s*\n/, ''), [])
  state.detailsDepth = depth
  return { type: 'details', raw, summary: lexer.inline(title.trim()), tokens, isOpen: /\bopen\b/i.test(attributes) }
}

function contentOf(source: string, begin: number): { inner: string; raw: string } {
  tag.lastIndex = begin
  let open = 1
  for (let found = tag.exec(source); found; found = tag.exec(source)) {
    open += found[1] === '' ? 1 : -1
    if (open > 0) continue
    const end = /^[ \t]*\n*/.exec(source.slice(tag.lastIndex))![0].length + tag.lastIndex
    return { inner: source.slice(begin, found.index), raw: source.slice(0, end) }
  }
  return { inner: source.slice(begin), raw: source }
}
