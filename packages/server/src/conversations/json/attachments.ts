import type { Conversation } from 'colloquy/conversation'
import type { MessageContentParam } from 'colloquy/protocol'
import { badRequest } from '../../messages/request/query.ts'

/** A block with its source, as far as it matters here. */
interface SourcedBlock {
  type: string
  source?: { type?: unknown; media_type?: unknown; data?: unknown; url?: unknown }
}

/** Data up to this length stays in the message. */
const shortData = 1_000

/** The content without the data of its files, each of which gets a path instead. */
export function withoutData(content: MessageContentParam, message: { path: string }): MessageContentParam {
  if (typeof content === 'string') return content
  return content.map((block, index) => {
    const { source } = block as SourcedBlock
    if (source?.type !== 'base64' || typeof source.data !== 'string' || source.data.length <= shortData) return block
    const url = `${message.path}/blocks/${index}`
    return { ...block, source: { ...source, data: '', url, bytes: byteLength(source.data) } }
  }) as MessageContentParam
}

/** The inverse of `withoutData`: takes the data of each file with a path from the message that it belongs to. */
export async function withData(content: MessageContentParam, conversation: Conversation): Promise<MessageContentParam> {
  if (!Array.isArray(content)) return content
  const blocks = (content as SourcedBlock[]).map(async (block, index) => {
    const url = block?.source?.url
    if (block?.source?.type !== 'base64' || typeof url !== 'string') return block
    const found = await fileAt(conversation, url)
    if (found === undefined) throw badRequest(`content.${index}.source.url: no file of this conversation has this path`)
    return { ...block, source: found }
  })
  return (await Promise.all(blocks)) as MessageContentParam
}

async function fileAt(conversation: Conversation, url: string): Promise<SourcedBlock['source'] | undefined> {
  const [, id, messageId, index] = /\/conversations\/([^/]+)\/messages\/(\d+)\/blocks\/(\d+)$/.exec(url) ?? []
  if (id !== conversation.id && id !== encodeURIComponent(conversation.id)) return undefined
  return sourceOf(await messageIn(conversation, messageId!), Number(index))
}

/** A file of a message. Undefined if the block has none. */
export function sourceOf(
  { content }: { content: MessageContentParam },
  index: number,
): { type: 'base64'; media_type: string; data: string } | undefined {
  const block = typeof content === 'string' ? undefined : (content[index] as SourcedBlock | undefined)
  const { type, media_type: mediaType, data } = block?.source ?? {}
  if (type !== 'base64' || typeof mediaType !== 'string' || typeof data !== 'string') return undefined
  return { type, media_type: mediaType, data }
}

/** A message by its id. Throws a `ConversationNotFoundError`. */
export async function messageIn(
  conversation: Conversation,
  messageId: string,
): Promise<Awaited<ReturnType<Conversation['versions']>>[number]> {
  const versions = await conversation.versions(messageId)
  return versions.find(({ id }) => id === messageId)!
}

function byteLength(base64: string): number {
  return Math.floor((base64.replace(/=+$/, '').length * 3) / 4)
}
