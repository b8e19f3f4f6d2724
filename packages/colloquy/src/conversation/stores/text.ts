import { describeValue } from '../../protocol/json/option-names.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import { storableText } from '../../protocol/text.ts'
import { foldWord } from '../history/text.ts'

// PostgreSQL indexes at most 2,704 bytes.
const maxNameLength = 512
const maxSearchLength = 1_000

/** A text as all stores can hold it; null and undefined stay what they are. */
export function storable<Text extends string | null | undefined>(text: Text): Text {
  return (typeof text === 'string' ? withoutMark(storableText(text)) : text) as Text
}

/** Some drivers take a byte order mark away from the beginning of a text that they read. */
function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? `\ufffd${text.slice(1)}` : text
}

/**
 * The owner to search for; undefined stands for all owners. Throws an `AnthropicError` for null, which could mean all of them
 * or none.
 */
export function storableOwner(owner: string | undefined): string | undefined {
  if (owner !== undefined) checkText('owner', owner)
  return storable(owner)
}

/** Refuses an id, a key or another text that is none: databases would convert it, each in its own way. */
export function checkText(kind: string, value: unknown): asserts value is string {
  if (typeof value === 'string') return
  throw new AnthropicError(`Cannot use the ${kind} as it must be text: found ${describeValue(value)}`)
}

/** A name to be stored, such as an id or a key. Throws a `RangeError` if it is empty or longer than 512 characters. */
export function storableName(kind: string, name: string): string {
  checkText(kind, name)
  if (name.length === 0 || name.length > maxNameLength) {
    throw new RangeError(
      `Cannot use the ${kind} as it must have 1 to ${maxNameLength} characters: it has ${name.length}`,
    )
  }
  return storable(name)
}

/** Words as searches compare them. Throws a `RangeError` if they have more than 1,000 characters together. */
export function searchWords(words: readonly string[]): string[] {
  const length = words.reduce((sum, word) => sum + word.length, 0)
  if (length > maxSearchLength) {
    throw new RangeError(
      `Cannot search as the words must have at most ${maxSearchLength} characters together: they have ${length}`,
    )
  }
  // Searchable text has a space for NUL.
  return words
    .flatMap((word) => word.split('\0'))
    .filter((word) => word !== '')
    .map((word) => foldWord(storableText(word)))
}
