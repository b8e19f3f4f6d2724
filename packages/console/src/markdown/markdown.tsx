import type { Token, Tokens } from 'marked'
import { type ComponentChildren, type VNode, h } from 'preact'
import { useRef } from 'preact/hooks'
import { type Block, BlockLexer } from './block-lexer.ts'
import { visibleText } from '../format.ts'
import { CodeBlock } from './code-block.tsx'
import type { FormulaToken } from '../../../cli/src/markdown/formula/formula-lexer.ts'
import type { DetailsToken } from '../../../cli/src/markdown/lexer/details.ts'
import { beginsWithElement } from '../../../cli/src/markdown/lexer/element.ts'
import { lineTokens } from '../../../cli/src/markdown/lexer/lexer.ts'
import { Formula } from './formula.tsx'
import { inline } from './inline.tsx'
import { Table } from './table.tsx'

/** Blocks inside each other. Deeper ones are shown as their source. */
const maxDepth = 24

/** Blocks in one element. The browser lays out, and Preact compares, only the elements whose blocks have changed. */
const blocksPerPart = 16

interface Part {
  blocks: readonly Block[]
  vnode: VNode
}

interface MarkdownProps {
  text: string
  /** The text is still arriving: marks that are open at its end are shown as if closed. */
  isOpen?: boolean
}

/** Renders Markdown. While the text grows, only blocks that changed are rendered again. */
export function Markdown({ text, isOpen = false }: MarkdownProps): VNode {
  const { current: lexer } = useRef(new BlockLexer())
  const { current: rendered } = useRef(new WeakMap<Block, VNode>())
  const parts = useRef<readonly Part[]>([])
  parts.current = partsOf(isOpen ? lexer.preview(text) : lexer.read(text)).map((read, index) => {
    const known = parts.current[index]
    if (known && isSame(known.blocks, read)) return known
    return { blocks: read, vnode: <div class="part">{read.map((block) => view(block, rendered))}</div> }
  })
  return <div class="markdown">{parts.current.map(({ vnode }) => vnode)}</div>
}

/** The element of a block, the same one while its source is the same. */
function view(block: Block, rendered: WeakMap<Block, VNode>): VNode {
  const known = rendered.get(block)
  if (known) return known
  // Each block has the direction of its own text.
  const vnode = (
    <div key={block.key} dir="auto">
      {blockToken(block.token, 0)}
    </div>
  )
  rendered.set(block, vnode)
  return vnode
}

/** Divides the blocks that can be seen. A block stays in its part. */
function partsOf(all: readonly Block[]): Block[][] {
  const seen = all.filter(({ token: { type } }) => type !== 'space' && type !== 'def')
  const parts: Block[][] = []
  for (let at = 0; at < seen.length; at += blocksPerPart) parts.push(seen.slice(at, at + blocksPerPart))
  return parts
}

function isSame(known: readonly Block[], read: readonly Block[]): boolean {
  return known.length === read.length && known.every((block, index) => block === read[index])
}

function blocks(tokens: readonly Token[], depth: number): ComponentChildren {
  return tokens.map((token) => blockToken(token, depth))
}

function blockToken(token: Token, depth: number): ComponentChildren {
  if (depth > maxDepth) return <pre class="plain">{visibleText(token.raw)}</pre>
  switch (token.type) {
    case 'space':
    case 'def':
    // The list draws it.
    case 'checkbox':
      return undefined
    case 'heading':
      return heading(token as Tokens.Heading)
    case 'paragraph':
      return <p>{inline((token as Tokens.Paragraph).tokens)}</p>
    case 'text':
      return inline((token as Tokens.Text).tokens) ?? <p>{visibleText(token.raw)}</p>
    case 'code':
      return <CodeBlock language={(token as Tokens.Code).lang ?? ''} code={(token as Tokens.Code).text} />
    case 'formula':
      return <Formula {...(token as FormulaToken)} />
    case 'blockquote':
      return <blockquote>{blocks((token as Tokens.Blockquote).tokens, depth + 1)}</blockquote>
    case 'list':
      return list(token as Tokens.List, depth)
    case 'table':
      return <Table table={token as Tokens.Table} />
    case 'hr':
      return <hr />
    case 'details':
      return details(token as DetailsToken, depth)
    case 'html':
      return <p>{beginsWithElement(token.raw) ? inline(lineTokens(token.raw)) : visibleText(token.raw)}</p>
    default:
      return <p>{visibleText(token.raw)}</p>
  }
}

function details({ summary, tokens, isOpen }: DetailsToken, depth: number): VNode {
  return (
    <details class="fold" open={isOpen}>
      <summary>{inline(summary)}</summary>
      {blocks(tokens, depth + 1)}
    </details>
  )
}

/** The page has the first two levels for itself. */
function heading({ depth, tokens }: Tokens.Heading): VNode {
  return h(`h${Math.min(6, depth + 2)}`, {}, inline(tokens))
}

function list({ ordered, start, items }: Tokens.List, depth: number): VNode {
  const children = items.map((item) => (
    <li class={item.task ? 'task' : undefined}>
      {item.task && <input type="checkbox" checked={item.checked === true} disabled aria-label="Task" />}
      {blocks(item.tokens, depth + 1)}
    </li>
  ))
  return ordered ? <ol start={start || 1}>{children}</ol> : <ul>{children}</ul>
}
