import { excerptOf, searchText } from '../history/text.ts'
import type { SearchHit } from './store.ts'

/** A message that may contain the words of a search. */
export interface Candidate extends Omit<SearchHit, 'excerpt'> {
  /** The message as it was received or sent. */
  json: string
}

/** How long a search runs before it lets other work run, in milliseconds. */
const sliceMs = 10

/**
 * Finds the first candidates that contain every word. Other work runs in between.
 *
 * @param candidates read as they are needed; undefined marks a part of the search without a candidate.
 */
export async function firstMatches(
  candidates: Iterable<Candidate | undefined>,
  words: readonly string[],
  limit: number,
): Promise<SearchHit[]> {
  const hits: SearchHit[] = []
  let end = performance.now() + sliceMs
  for (const candidate of candidates) {
    if (candidate !== undefined && contains(candidate.json, words)) {
      const { json, ...hit } = candidate
      hits.push({ ...hit, excerpt: excerptOf(json, words[0]!) })
      if (hits.length === limit) break
    }
    if (performance.now() < end) continue
    // Browsers have no setImmediate().
    await new Promise((resolve) => setTimeout(resolve))
    end = performance.now() + sliceMs
  }
  return hits
}

function contains(json: string, words: readonly string[]): boolean {
  const text = searchText(json)
  return words.every((word) => text.includes(word))
}
