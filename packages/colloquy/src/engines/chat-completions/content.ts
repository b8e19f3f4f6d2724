import type { ContentBlockParam } from '../../protocol/types/params.ts'
import { type Source, unsupported } from './options.ts'
import type { ChatPart } from './wire.ts'

/** The parts for a block that is not thinking, a tool call or a tool result. */
export function partsOf(block: ContentBlockParam, source: Source): ChatPart[] {
  const fields = block as Block
  if (fields.type === 'text') return [{ type: 'text', text: fields.text! }]
  if (fields.type === 'image') return imageOf(fields, source)
  if (fields.type === 'document') return documentOf(fields, source)
  if (fields.type === 'search_result') return [searchResultOf(fields)]
  // A summary that stands for earlier messages.
  if (fields.type === 'compaction')
    return typeof fields.content === 'string' ? [{ type: 'text', text: fields.content }] : []
  if (fields.type === 'fallback') return []
  return unsupported(`${source.path}: a block of type '${fields.type}'`, source.options)
}

interface Block {
  type: string
  text?: string
  title?: string | null
  context?: string | null
  content?: unknown
  source?: MediaSource | string
}

interface MediaSource {
  type: string
  media_type?: string
  data?: string
  url?: string
  content?: string | ContentBlockParam[]
}

function imageOf(block: Block, source: Source): ChatPart[] {
  const { type, media_type, data, url } = block.source as MediaSource
  if (type === 'base64') return [{ type: 'image_url', image_url: { url: `data:${media_type};base64,${data}` } }]
  if (type === 'url') return [{ type: 'image_url', image_url: { url: url! } }]
  return unsupported(`${source.path}.source: an image from a ${type}`, source.options)
}

function documentOf(block: Block, source: Source): ChatPart[] {
  const { type, data, content } = block.source as MediaSource
  if (type === 'text') return [{ type: 'text', text: withHeading(block, data!) }]
  if (type === 'content') {
    const inner: ContentBlockParam[] = typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? [])
    return [{ type: 'text', text: withHeading(block, '') }, ...inner.flatMap((each) => partsOf(each, source))]
  }
  if (type === 'base64' && source.dialect.readsPdf) {
    const file = { filename: block.title ?? 'document.pdf', file_data: `data:application/pdf;base64,${data}` }
    return [{ type: 'file', file }]
  }
  return unsupported(
    `${source.path}.source: a document from ${type === 'base64' ? 'a PDF' : `a ${type}`}`,
    source.options,
  )
}

function withHeading({ title, context }: Block, text: string): string {
  return [title && `Document: ${title}`, context, text].filter(Boolean).join('\n\n')
}

function searchResultOf({ title, source, content }: Block): ChatPart {
  const texts = (content as { text?: string }[]).map(({ text = '' }) => text)
  return { type: 'text', text: [`Search result: ${title} (${String(source)})`, ...texts].join('\n\n') }
}
