import { cutText } from 'colloquy/protocol'
import { type MCPBlock, type MCPCallToolResultLike, mcpContent, UnsupportedMCPValueError } from 'colloquy/tools'
import { byteText } from '../format.ts'

type Content = NonNullable<MCPCallToolResultLike['content']>[number]

/** The result with a text in the place of content that no block can hold: the tool has run, and the model should know. */
export function readableResult(result: MCPCallToolResultLike): MCPCallToolResultLike {
  return { ...result, ...(result.content && { content: result.content.map(readable) }) }
}

/** The content as a block: as a text if no other block can hold it. */
export function readableBlock(item: Content): MCPBlock {
  return mcpContent(readable(item))
}

function readable(item: Content): Content {
  try {
    mcpContent(item)
    return item
  } catch (error) {
    if (!(error instanceof UnsupportedMCPValueError)) throw error
    return { type: 'text', text: textInstead(item) }
  }
}

function textInstead(item: Content): string {
  if (item.type === 'resource_link') {
    const { name, uri, description } = item as { name?: string; uri: string; description?: string }
    return `[link to the resource ${[name, uri, description].filter(Boolean).join(' · ')}]`
  }
  if (item.type === 'text') return item.text
  if (item.type !== 'resource') return `[${item.type} that this chat cannot show: ${sizeOf(item)}]`
  const { resource } = item
  if ('text' in resource && typeof resource.text === 'string') return `${resource.uri}\n${resource.text}`
  return `[file that this chat cannot show: ${resource.uri}, ${sizeOf({ ...resource, data: 'blob' in resource ? resource.blob : undefined })}]`
}

function sizeOf({ mimeType, data }: { mimeType?: string | undefined; data?: unknown }): string {
  const bytes = typeof data === 'string' ? byteText(Math.floor((data.length * 3) / 4)) : 'no data'
  return `${cutText(mimeType ?? 'of an unknown kind', 100)}, ${bytes}`
}
