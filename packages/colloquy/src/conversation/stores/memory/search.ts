import { excerptOf, searchText } from '../../history/text.ts'
import type { SearchHit, SearchQuery } from '../store.ts'
import type { MemoryConversation } from './conversation.ts'

/** Finds the messages that contain every word, the newest first, by reading all of them. */
export function searchMessages(
  conversations: Iterable<MemoryConversation>,
  words: readonly string[],
  { limit, owner }: SearchQuery,
): SearchHit[] {
  const hits = [...conversations]
    .filter(({ record }) => owner === undefined || record.owner === owner)
    .flatMap((conversation) => hitsIn(conversation, words))
  return hits.toSorted((a, b) => b.createdAt - a.createdAt || b.number - a.number).slice(0, limit)
}

function hitsIn({ record, messages }: MemoryConversation, words: readonly string[]): SearchHit[] {
  const hits: SearchHit[] = []
  for (const { number, role, createdAt, json, received } of messages.values()) {
    if (role === 'summary') continue
    const text = searchText(received ?? json)
    if (!words.every((word) => text.includes(word))) continue
    const excerpt = excerptOf(received ?? json, words[0]!)
    hits.push({ conversationId: record.id, title: record.title, number, role, createdAt, excerpt })
  }
  return hits
}
