import type { ConversationRecord, NewConversation } from './store.ts'

/** A new conversation as a store returns it. */
export function recordOf(added: NewConversation): ConversationRecord {
  const { id, owner = null, metadata = null, shelf = null, title, settings, at, usedAt = at, head = 0 } = added
  const last = added.messages?.at(-1)?.number ?? 0
  return { id, owner, metadata, shelf, version: 1, head, last, createdAt: at, updatedAt: usedAt, title, settings }
}
