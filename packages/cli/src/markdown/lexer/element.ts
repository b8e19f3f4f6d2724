import type { Token } from 'marked'

/** Text between two HTML tags. */
export interface ElementToken {
  type: 'element'
  raw: string
  name: ElementName
  tokens: Token[]
}

/** The elements of HTML that text may have. They only change its look. Others are shown as their source. */
const names = ['b', 'code', 'del', 'em', 'i', 'ins', 'kbd', 'mark', 's', 'strong', 'sub', 'sup', 'u'] as const

export type ElementName = (typeof names)[number]

const tag = new RegExp(String.raw`^<(/?)(${names.join('|')})(?:\s[^>]*)?>$`, 'i')

/** The name of the element that a tag begins or ends. Undefined for any other text. */
export function elementTag(source: string): { name: ElementName; isEnd: boolean } | undefined {
  const [, slash, name] = tag.exec(source) ?? []
  return name === undefined ? undefined : { name: name.toLowerCase() as ElementName, isEnd: slash === '/' }
}

const start = new RegExp(String.raw`^\s*</?(?:br|${names.join('|')})\b[^>]*>`, 'i')

/** Whether the text begins with a tag that belongs to a line, although Markdown may take it for a block of HTML. */
export function beginsWithElement(source: string): boolean {
  return start.test(source)
}

/** The tokens of a line, with those between two tags as one element. A tag without its other one stays a token of its own. */
export function withElements(tokens: readonly Token[]): readonly Token[] {
  if (!tokens.some(({ type }) => type === 'html')) return tokens
  const read: Token[] = []
  /** The places in `read` of the tags that have no end yet. */
  const open: { name: ElementName; at: number }[] = []
  for (const token of tokens) {
    const found = token.type === 'html' ? elementTag(token.raw) : undefined
    const index = found?.isEnd ? open.findLastIndex(({ name }) => name === found.name) : -1
    if (index === -1) {
      if (found && !found.isEnd) open.push({ name: found.name, at: read.length })
      read.push(token)
      continue
    }
    const { name, at } = open[index]!
    open.length = index
    const inner = read.splice(at).slice(1)
    const raw = inner.map((each) => each.raw).join('')
    read.push({ type: 'element', raw, name, tokens: inner } satisfies ElementToken)
  }
  return read
}
