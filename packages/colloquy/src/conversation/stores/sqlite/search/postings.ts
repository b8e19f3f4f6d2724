// A posting tells which messages of a block have a trigram, a part of three characters. Trigrams find any part of a word,
// also in code and in languages without spaces. They are numbered by a hash: two that share a number only make the search
// read a message that does not match.

/** The number of messages in a block: a position takes one byte. */
export const blockSize = 256

/** The number of rows of a block. Each has the postings of 64 trigrams. */
export const rowsPerBlock = 1024
const trigramsPerRow = 64

const bitmapSize = blockSize / 8
/** From this number of messages on, a bitmap is shorter than a list of positions. */
const longestList = bitmapSize - 1

/** The most trigrams that are looked up. A longer query finds messages that then turn out not to match. */
const mostTrigrams = 32

/** The trigrams that a message with all of the words has. None if no word has three characters. */
export function trigramsOf(words: readonly string[]): number[] {
  const trigrams = new Set<number>()
  for (const word of words) {
    for (let start = 0; start + 3 <= word.length; start++) trigrams.add(trigramAt(word, start))
  }
  return [...trigrams].slice(0, mostTrigrams)
}

/** The row of a block that has the postings of a trigram. */
export function rowOf(trigram: number): number {
  return Math.floor(trigram / trigramsPerRow)
}

/** The postings of one block, to be written. */
export class Postings {
  /** The positions of the messages that have a trigram, by its row and its place in the row. */
  readonly #rows = Array.from({ length: rowsPerBlock }, (): (number[] | undefined)[] => [])

  /** Adds a message. Positions must ascend. */
  add(position: number, text: string): void {
    for (let start = 0; start + 3 <= text.length; start++) {
      const trigram = trigramAt(text, start)
      const row = this.#rows[rowOf(trigram)]!
      const list = row[trigram % trigramsPerRow]
      if (list === undefined) row[trigram % trigramsPerRow] = [position]
      else if (list[list.length - 1] !== position) list.push(position)
    }
  }

  /** Yields the number and the content of each row that is not empty. */
  *rows(): Generator<[row: number, content: Uint8Array]> {
    for (const [row, lists] of this.#rows.entries()) {
      const content: number[] = []
      for (const [place, list] of lists.entries()) if (list !== undefined) content.push(place, ...encode(list))
      if (content.length > 0) yield [row, Uint8Array.from(content)]
    }
  }
}

/** A list begins with its length, a bitmap with 0. */
function encode(list: readonly number[]): Iterable<number> {
  return list.length > longestList ? [0, ...bitmapOf(list)] : [list.length, ...list]
}

/** Reads from a row which messages have a trigram, as a bitmap. Undefined if none has. */
export function messagesWith(trigram: number, row: Uint8Array): Uint8Array | undefined {
  const place = trigram % trigramsPerRow
  for (let at = 0; at < row.length;) {
    const length = row[at + 1]!
    const end = at + 2 + (length === 0 ? bitmapSize : length)
    if (row[at] === place) {
      const found = row.subarray(at + 2, end)
      return length === 0 ? found : bitmapOf(found)
    }
    at = end
  }
  return undefined
}

/** The messages that are in both bitmaps. Undefined if none is. */
export function intersection(one: Uint8Array, other: Uint8Array): Uint8Array | undefined {
  const both = one.map((byte, at) => byte & other[at]!)
  return both.some((byte) => byte !== 0) ? both : undefined
}

/** The positions in a bitmap, in descending order. */
export function positionsIn(bitmap: Uint8Array): number[] {
  const positions: number[] = []
  for (let position = blockSize - 1; position >= 0; position--) {
    if ((bitmap[position >> 3]! & (1 << (position & 7))) !== 0) positions.push(position)
  }
  return positions
}

function bitmapOf(positions: Iterable<number>): Uint8Array {
  const bitmap = new Uint8Array(bitmapSize)
  for (const position of positions) bitmap[position >> 3]! |= 1 << (position & 7)
  return bitmap
}

/** The number of the trigram that starts at a place of a text: the upper 16 bits of a hash, which depend on all others. */
function trigramAt(text: string, start: number): number {
  const first = Math.imul(text.charCodeAt(start), 0x9e3779b1)
  const second = Math.imul(text.charCodeAt(start + 1), 0x85ebca77)
  const third = Math.imul(text.charCodeAt(start + 2), 0xc2b2ae3d)
  return (first ^ second ^ third) >>> 16
}
