import type { Token, Tokens } from 'marked'
import { type ComponentChildren, type VNode, h } from 'preact'
import { useRef } from 'preact/hooks'
import { type Block, BlockLexer } from './block-lexer.ts'
import { CodeBlock } from './code-block.tsx'
import { inline } from './inline.tsx'
import { Table } from './table.tsx'

/** Blocks inside each other. Deeper ones are shown as their source. */
const maxDepth = 24

/** Renders Markdown. While the text grows, only blocks that changed are rendered again. */
export function Markdown({ text }: { text: string }): VNode {
  const { current: lexer } = useRef(new BlockLexer())
  const { current: rendered } = useRef(new WeakMap<Block, VNode>())
  return (
    <div class="markdown" dir="auto">
      {lexer.read(text).map((block) => {
        const known = rendered.get(block)
        if (known) return known
        const vnode = <div key={block.key}>{blockToken(block.token, 0)}</div>
        rendered.set(block, vnode)
        return vnode
      })}
    </div>
  )
}

function blocks(tokens: readonly Token[], depth: number): ComponentChildren {
  return tokens.map((token) => blockToken(token, depth))
}

function blockToken(token: Token, depth: number): ComponentChildren {
  if (depth > maxDepth) return <pre class="plain">{token.raw}</pre>
  switch (token.type) {
    case 'space':
    case 'def':
      return undefined
    case 'heading':
      return heading(token as Tokens.Heading)
    case 'paragraph':
      return <p>{inline((token as Tokens.Paragraph).tokens)}</p>
    case 'text':
      return inline((token as Tokens.Text).tokens) ?? <p>{token.raw}</p>
    case 'code':
      return <CodeBlock language={(token as Tokens.Code).lang ?? ''} code={(token as Tokens.Code).text} />
    case 'blockquote':
      return <blockquote>{blocks((token as Tokens.Blockquote).tokens, depth + 1)}</blockquote>
    case 'list':
      return list(token as Tokens.List, depth)
    case 'table':
      return <Table table={token as Tokens.Table} />
    case 'hr':
      return <hr />
    default:
      return <p>{token.raw}</p>
  }
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
