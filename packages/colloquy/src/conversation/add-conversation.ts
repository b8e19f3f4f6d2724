import { wellFormedJson } from '../protocol/codec/well-formed-json.ts'
import { checkSettings } from './check-settings.ts'
import { metadataJson } from './history/metadata.ts'
import type { Archive } from './history/records.ts'
import { titleOf, titleText } from './history/view.ts'
import type { ConversationStore } from './stores/store.ts'
import { openRecovered } from './turn/request/recovery.ts'
import { ConversationState } from './turn/state.ts'

/** Adds a conversation to the store. Throws an `AnthropicError`, and adds nothing, if the settings are not valid. */
export async function addConversation(store: ConversationStore, archive: Archive): Promise<ConversationState> {
  const { owner, metadata, title, settings, head } = archive
  checkSettings(settings)
  const at = Date.now()
  const { id = newConversationId(at) } = archive
  const messages = archive.messages.map((message) => ({ ...message, json: wellFormedJson(message.json) }))
  const asked = messages.find(({ role }) => role === 'user')
  const given = (title && titleText(title)) || (asked && titleOf([asked])) || null
  const conversation = await store.create({
    id,
    owner,
    metadata: metadata && metadataJson(metadata),
    title: given,
    settings: wellFormedJson(JSON.stringify(settings)),
    at,
    messages,
    head,
  })
  return new ConversationState(
    store,
    messages.length > 0 ? await openRecovered(store, id) : { conversation, messages, offPathReplies: [] },
  )
}

// Crockford's base 32: it has no letters that look alike, and it sorts as the numbers do.
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** The id of a new conversation, a ULID: ten characters of time, so that ids sort by age, and sixteen random ones. */
function newConversationId(at: number = Date.now()): string {
  let id = ''
  for (let rest = at, place = 0; place < 10; place++, rest = Math.floor(rest / 32)) id = alphabet[rest % 32]! + id
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) id += alphabet[byte % 32]
  return id
}
