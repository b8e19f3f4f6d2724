import { excerptOf, searchText } from '../history/text.ts'
import { inSlices, type Pausable } from '../in-slices.ts'
import type { SearchHit } from './store.ts'

/** A message that may contain the words of a search. */
export interface Candidate extends Omit<SearchHit, 'excerpt'> {
  /** The message as it was received or sent. */
  json: string
}

/**
 * Finds the first candidates that contain every word. Other work runs in between.
 *
 * @param candidates read as they are needed; undefined marks a part of the search without a candidate.
 */
export function firstMatches(
  candidates: Iterable<Candidate | undefined>,
  words: readonly string[],
  limit: number,
): Promise<SearchHit[]> {
  return inSlices(matches(candidates, words, limit))
}

function* matches(
  candidates: Iterable<Candidate | undefined>,
  words: readonly string[],
  limit: number,
): Pausable<SearchHit[]> {
  const hits: SearchHit[] = []
  for (const candidate of candidates) {
    if (candidate !== undefined && contains(candidate.json, words)) {
      const { json, ...hit } = candidate
      hits.push({ ...hit, excerpt: excerptOf(json, words[0]!) })
      if (hits.length === limit) break
    }
    yield
  }
  return hits
}

function contains(json: string, words: readonly string[]): boolean {
  const text = searchText(json)
  return words.every((word) => text.includes(word))
}
