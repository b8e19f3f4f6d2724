import { wellFormedJson } from '../protocol/codec/well-formed-json.ts'
import { checkSettings } from './check-settings.ts'
import { metadataJson } from './history/metadata.ts'
import type { Archive } from './history/records.ts'
import { pathTo } from './history/tree.ts'
import { titleOf, titleText } from './history/view.ts'
import { inSlices, mapped } from './in-slices.ts'
import type { ConversationStore, MessageRecord, OpenedConversation } from './stores/store.ts'
import type { TurnConfig } from './turn/scope.ts'
import { ConversationState } from './turn/state.ts'

/** Adds a conversation to the store. Throws an `AnthropicError`, and adds nothing, if the settings are not valid. */
export async function addConversation(
  store: ConversationStore,
  archive: Archive,
  config: Pick<TurnConfig, 'turns'>,
): Promise<ConversationState> {
  const now = Date.now()
  const { id = newConversationId(now), owner, shelf, title, head, createdAt = now, usedAt = now } = archive
  const { settings, metadata } = checkArchive(archive)
  const messages = await inSlices(mapped(archive.messages, wellFormed))
  const asked = messages.find(({ role }) => role === 'user')
  const given = (title && titleText(title)) || (asked && titleOf([asked])) || null
  const conversation = await store.create({
    id,
    owner,
    metadata,
    shelf,
    title: given,
    settings,
    at: createdAt,
    usedAt,
    messages,
    head,
  })
  return new ConversationState(store, { conversation, ...pathAmong(messages, head) }, config)
}

/**
 * The settings and the metadata as JSON. Throws an `AnthropicError` if the settings are not valid, or the metadata is too
 * long.
 */
export function checkArchive({ settings, metadata }: Archive): { settings: string; metadata: string | undefined } {
  checkSettings(settings)
  return { settings: wellFormedJson(JSON.stringify(settings)), metadata: metadata && metadataJson(metadata) }
}

/** Texts as the store keeps them. */
function wellFormed(message: MessageRecord): MessageRecord {
  const { json, received, reply } = message
  return {
    ...message,
    json: wellFormedJson(json),
    received: received === null ? null : wellFormedJson(received),
    reply: reply === null ? null : wellFormedJson(reply),
  }
}

/** The messages as the store would return them. */
function pathAmong(
  messages: readonly MessageRecord[],
  head: number,
): Pick<OpenedConversation, 'messages' | 'offPathReplies'> {
  const path = pathTo(new Map(messages.map((message) => [message.number, message])), head)
  const onPath = new Set(path)
  const offPath = messages.filter((message) => !onPath.has(message))
  return { messages: path, offPathReplies: offPath.flatMap(({ reply }) => (reply === null ? [] : [reply])) }
}

// Crockford's base 32: it has no letters that look alike, and it sorts as the numbers do.
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** The id of a new conversation, a ULID: ten characters of time, so that ids sort by age, and sixteen random ones. */
function newConversationId(at: number): string {
  let id = ''
  for (let rest = at, place = 0; place < 10; place++, rest = Math.floor(rest / 32)) id = alphabet[rest % 32]! + id
  return id + idFrom(crypto.getRandomValues(new Uint8Array(16)))
}

/** A character for each byte. */
export function idFrom(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => alphabet[byte % 32]).join('')
}
