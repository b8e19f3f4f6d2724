import { type Candidate, firstMatches } from '../matches.ts'
import type { SearchHit, SearchQuery } from '../store.ts'
import type { AddedMessage } from './conversation.ts'

/** Finds the messages that contain every word, the last added first, by reading all of them. */
export function searchMessages(
  added: readonly AddedMessage[],
  words: readonly string[],
  { limit, owner }: SearchQuery,
): Promise<SearchHit[]> {
  return firstMatches(candidates(added, owner), words, limit)
}

function* candidates(added: readonly AddedMessage[], owner: string | undefined): Generator<Candidate | undefined> {
  for (let index = added.length - 1; index >= 0; index--) {
    // Messages may have been erased in the meantime.
    const { conversation, number } = added[index] ?? {}
    const message = conversation?.messages.get(number!)
    const isSearched = message !== undefined && message.role !== 'summary'
    const { id, title, owner: its } = conversation?.record ?? {}
    if (!isSearched || (owner !== undefined && its !== owner)) {
      yield undefined
      continue
    }
    const { role, createdAt, json, received } = message
    yield { conversationId: id!, title: title!, number: number!, role, createdAt, json: received ?? json }
  }
}
