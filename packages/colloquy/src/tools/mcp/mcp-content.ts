import { AnthropicError } from '../../protocol/types/error.ts'
import type {
  Base64ImageSource,
  DocumentBlockParam,
  ImageBlockParam,
  MessageParam,
  TextBlockParam,
} from '../../protocol/types/params.ts'
import type {
  MCPContentLike,
  MCPPromptMessageLike,
  MCPReadResourceResultLike,
  MCPResourceContentsLike,
} from './mcp-values.ts'

/** A block that stands for a value of MCP, in a message and in the result of a tool. */
export type MCPBlock = TextBlockParam | ImageBlockParam | DocumentBlockParam

/** Fields that are added to a block, such as `cache_control`. */
export type MCPBlockFields = Partial<
  Omit<TextBlockParam, 'type' | 'text'> &
    Omit<ImageBlockParam, 'type' | 'source'> &
    Omit<DocumentBlockParam, 'type' | 'source'>
>

/** A value of MCP that no content block can hold, such as audio. */
export class UnsupportedMCPValueError extends AnthropicError {
  override name = 'UnsupportedMCPValueError'
}

/** A message of an MCP prompt as a message of the API. */
export function mcpMessage({ role, content }: MCPPromptMessageLike, fields?: MCPBlockFields): MessageParam {
  return { role, content: [mcpContent(content, fields)] }
}

/**
 * The messages of an MCP prompt as messages of the API.
 *
 * @example
 * ```ts
 * import { mcpMessages } from 'colloquy/tools'
 *
 * // Of a client of MCP: `const { messages } = await mcp.getPrompt({ name: 'greet' })`
 * const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: 'Hello' } }]
 * console.log(JSON.stringify(mcpMessages(messages))) // [{"role":"user","content":[{"type":"text","text":"Hello"}]}]
 * ```
 */
export function mcpMessages(messages: readonly MCPPromptMessageLike[], fields?: MCPBlockFields): MessageParam[] {
  return messages.map((message) => mcpMessage(message, fields))
}

/** A content item of MCP as a content block. Throws `UnsupportedMCPValueError` for audio, links and unknown media types. */
export function mcpContent(content: MCPContentLike, fields?: MCPBlockFields): MCPBlock {
  switch (content.type) {
    case 'text':
      return { type: 'text', text: content.text, ...fields }
    case 'image':
      if (isImageType(content.mimeType)) return image(content.data, content.mimeType, fields)
      throw new UnsupportedMCPValueError(`Unsupported image MIME type: ${content.mimeType}`)
    case 'resource':
      return resourceBlock(content.resource, fields)
    default:
      throw new UnsupportedMCPValueError(`Unsupported MCP content type: ${(content as { type: string }).type}`)
  }
}

/**
 * The first item of an MCP resource that a content block can hold. Throws `UnsupportedMCPValueError` if there is none.
 *
 * @example
 * ```ts
 * import { mcpResourceToContent } from 'colloquy/tools'
 *
 * // Of a client of MCP: `await mcp.readResource({ uri: 'file:///notes.txt' })`
 * const resource = { contents: [{ uri: 'file:///notes.txt', mimeType: 'text/plain', text: 'Buy bread.' }] }
 * console.log(mcpResourceToContent(resource).type) // document
 * ```
 */
export function mcpResourceToContent({ contents }: MCPReadResourceResultLike, fields?: MCPBlockFields): MCPBlock {
  const supported = firstOf(contents, ({ mimeType }) => isSupported(mimeType))
  if (supported) return resourceBlock(supported, fields)
  const found = contents.flatMap(({ mimeType }) => mimeType ?? [])
  throw new UnsupportedMCPValueError(
    `No supported MIME type found in resource contents. Available: ${found.join(', ')}`,
  )
}

/**
 * The first item of an MCP resource as a file to upload, named by the end of its URI.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { mcpResourceToFile } from 'colloquy/tools'
 *
 * const resource = { contents: [{ uri: 'file:///notes.txt', mimeType: 'text/plain', text: 'Buy bread.' }] }
 * const file = mcpResourceToFile(resource)
 * console.log(file.name) // notes.txt
 * ```
 */
export function mcpResourceToFile({ contents }: MCPReadResourceResultLike): File {
  const resource = firstOf(contents, () => true)!
  const name = new URL(resource.uri).pathname.split('/').at(-1) || 'file'
  const data = 'blob' in resource ? bytesOf(resource) : (textOf(resource) ?? bytesOf(resource))
  return new File([data], name, resource.mimeType === undefined ? {} : { type: resource.mimeType })
}

function firstOf(
  contents: readonly MCPResourceContentsLike[],
  test: (item: MCPResourceContentsLike) => boolean,
): MCPResourceContentsLike | undefined {
  if (contents.length > 0) return contents.find(test)
  throw new UnsupportedMCPValueError('Resource contents array must contain at least one item')
}

function resourceBlock(resource: MCPResourceContentsLike, fields?: MCPBlockFields): MCPBlock {
  const { mimeType, uri } = resource
  if (isImageType(mimeType)) return image(blobOf(resource, 'Image'), mimeType, fields)
  if (mimeType === 'application/pdf') {
    const source = { type: 'base64', media_type: mimeType, data: blobOf(resource, 'PDF') } as const
    return { type: 'document', source, ...fields }
  }
  if (!isSupported(mimeType)) {
    throw new UnsupportedMCPValueError(`Unsupported MIME type "${mimeType}" for resource: ${uri}`)
  }
  const data = textOf(resource) ?? new TextDecoder().decode(bytesOf(resource))
  return { type: 'document', source: { type: 'text', media_type: 'text/plain', data }, ...fields }
}

function image(data: string, media_type: Base64ImageSource['media_type'], fields?: MCPBlockFields): ImageBlockParam {
  return { type: 'image', source: { type: 'base64', media_type, data }, ...fields }
}

function blobOf(resource: MCPResourceContentsLike, kind: string): string {
  if ('blob' in resource) return resource.blob
  throw new UnsupportedMCPValueError(`${kind} resource must have blob data, not text. URI: ${resource.uri}`)
}

const imageTypes = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']

function isImageType(mimeType: string | undefined): mimeType is Base64ImageSource['media_type'] {
  return mimeType !== undefined && imageTypes.includes(mimeType)
}

function isSupported(mimeType: string | undefined): boolean {
  return !mimeType || mimeType.startsWith('text/') || mimeType === 'application/pdf' || isImageType(mimeType)
}

function textOf(resource: MCPResourceContentsLike): string | undefined {
  return 'text' in resource ? resource.text : undefined
}

/** The bytes of a resource. A server may send one without text and bytes, and base64 for URLs, or what is not base64. */
function bytesOf(resource: MCPResourceContentsLike): Uint8Array<ArrayBuffer> {
  try {
    if ('blob' in resource) {
      const base64 = resource.blob.replaceAll('-', '+').replaceAll('_', '/')
      return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    }
  } catch {
    // Told below.
  }
  throw new UnsupportedMCPValueError(`Resource has neither text nor base64 data. URI: ${resource.uri}`)
}
