import type { ComponentChildren, VNode } from 'preact'
import { visibleText } from '../../format.ts'
import { Icon } from '../../shell/parts/icon.tsx'
import { Code } from '../../markdown/code-block.tsx'
import { Markdown } from '../../markdown/markdown.tsx'
import { CitedText, SourceLink, sourceOf } from './cited-text.tsx'
import { type AnyBlock, pretty, runsOf, textOf } from './content-text.ts'

interface ContentProps {
  content: string | readonly AnyBlock[]
  /** The last block is still arriving. */
  isLive?: boolean
  /** Shows text as it was typed instead of as Markdown. */
  isPlain?: boolean
}

/** Renders the content of a message, block by block. */
export function Content({ content, isLive = false, isPlain = false }: ContentProps): VNode {
  const blocks: readonly AnyBlock[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  const runs = runsOf(blocks)
  return (
    <>
      {runs.map((run, index) => {
        const [block] = run
        return (
          block && (
            <div key={index} class={`block block-${block.type}`}>
              {isPlain && block.type === 'text' ? (
                <p class="typed" dir="auto">
                  {visibleText(textOf(run))}
                </p>
              ) : (
                <BlockView block={block} run={run} isOpen={isLive && index === runs.length - 1} />
              )}
            </div>
          )
        )
      })}
    </>
  )
}

interface BlockProps {
  block: AnyBlock
  /** The block, and those that are one text with it. */
  run: readonly AnyBlock[]
  isOpen: boolean
}

function BlockView({ block, run, isOpen }: BlockProps): ComponentChildren {
  switch (block.type) {
    case 'text':
      return <CitedText run={run} isOpen={isOpen} />
    case 'thinking':
      return <Thinking text={String(block.thinking)} isOpen={isOpen} />
    case 'redacted_thinking':
      return <p class="soft small">Thinking that is encrypted for the model.</p>
    case 'image':
      return <Picture source={block.source as AnyBlock} />
    case 'document':
      return <Document block={block} />
    case 'web_search_result':
      return (
        <p>
          <SourceLink source={sourceOf(block)} />
        </p>
      )
    default:
      return <OtherBlock block={block} isOpen={isOpen} />
  }
}

/** Thinking is folded once the reply goes past it. */
function Thinking({ text, isOpen }: { text: string; isOpen: boolean }): VNode {
  return (
    <details class="fold">
      <summary>{isOpen ? 'Thinking …' : 'Thinking'}</summary>
      {text ? <Markdown text={text} /> : <p class="soft small">The model does not show it.</p>}
    </details>
  )
}

/** Shows pictures of the message itself. One at another address could carry text of the chat to another server. */
function Picture({ source }: { source: AnyBlock }): VNode {
  const address = pictureAddress(source)
  if (!address)
    return (
      <p class="attachment">
        <Icon name="attach" /> Image{typeof source.url === 'string' ? `: ${source.url}` : ''}
      </p>
    )
  const picture = <img class="picture" src={address} alt="Attached picture" loading="lazy" />
  // A browser opens no `data:` address.
  return address.startsWith('data:') ? (
    picture
  ) : (
    <a href={address} target="_blank" aria-label="Open the picture">
      {picture}
    </a>
  )
}

/** A path of this server for a stored picture; the picture itself for one that was just attached. */
export function pictureAddress({ type, media_type, data, url }: AnyBlock): string | undefined {
  if (typeof url === 'string') return storedAddress(url)
  const mediaType = String(media_type)
  if (type !== 'base64' || !/^image\/(png|jpeg|gif|webp)$/.test(mediaType)) return undefined
  return `data:${mediaType};base64,${String(data)}`
}

/** The address of a stored file. Its path begins at the server, which may be below a path of its host. */
function storedAddress(url: unknown): string | undefined {
  return typeof url === 'string' && url.startsWith('/api/') ? `.${url}` : undefined
}

/** A document with a link to its file, once it is stored. */
function Document({ block }: { block: AnyBlock }): VNode {
  const address = storedAddress((block.source as AnyBlock).url)
  const title = visibleText(String(block.title ?? 'Document'))
  return (
    <p class="attachment">
      <Icon name="attach" />{' '}
      {address ? (
        <a href={address} download={title}>
          {title}
        </a>
      ) : (
        title
      )}
    </p>
  )
}

/** Tool calls and results, and blocks of other types: their name, folded over their JSON. */
function OtherBlock({ block, isOpen }: { block: AnyBlock; isOpen: boolean }): VNode {
  const { text, body } = describe(block)
  return (
    <details class="fold">
      <summary>
        {visibleText(text)}
        {isOpen && ' …'}
      </summary>
      {body.map((part, index) =>
        typeof part === 'string' ? (
          <pre key={index} class="wrap" tabIndex={0}>
            <Code language="json" code={part} />
          </pre>
        ) : (
          <Content key={index} content={[part]} />
        ),
      )}
    </details>
  )
}

function describe(block: AnyBlock): { text: string; body: (string | AnyBlock)[] } {
  if (block.type.endsWith('tool_use')) return { text: `Calls ${String(block.name)}`, body: [pretty(block.input)] }
  if (block.type.endsWith('tool_result')) {
    const { content } = block
    const body =
      typeof content === 'string' ? [content] : Array.isArray(content) ? (content as AnyBlock[]) : [pretty(content)]
    return { text: block.is_error ? 'Tool failed' : 'Tool result', body }
  }
  return { text: block.type, body: [pretty(block)] }
}
