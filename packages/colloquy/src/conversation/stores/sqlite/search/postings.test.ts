import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { blockSize, intersection, messagesWith, Postings, positionsIn, rowOf, trigramsOf } from './postings.ts'

const texts = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('a', 'b', 'c') })), {
  maxLength: blockSize,
  size: 'max',
})

test('a block names exactly the messages with a trigram', () => {
  fc.assert(
    fc.property(texts, (all) => {
      const postings = new Postings()
      for (const [position, text] of all.entries()) postings.add(position, text)
      const rows = new Map(postings.rows())
      const found = (trigram: number): number[] => {
        const row = rows.get(rowOf(trigram))
        const bitmap = row && messagesWith(trigram, row)
        return bitmap === undefined ? [] : positionsIn(bitmap).toReversed()
      }
      const trigrams = all.map((text) => new Set(parts(text).flatMap((part) => trigramsOf([part]))))
      for (const trigram of new Set(trigrams.flatMap((its) => [...its]))) {
        const having = trigrams.flatMap((its, position) => (its.has(trigram) ? [position] : []))
        assert.deepEqual(found(trigram), having)
      }
    }),
    { numRuns: 50 },
  )
})

test('a trigram that a block does not have is not found in it', () => {
  const postings = new Postings()
  postings.add(0, 'abc')
  const [[row, messages]] = [...postings.rows()] as [[number, Uint8Array]]
  assert.equal(row, rowOf(trigramsOf(['abc'])[0]!))
  assert.equal(messagesWith(trigramsOf(['abc'])[0]! ^ 1, messages), undefined)
})

test('words of less than three characters have no trigrams, and long ones at most 32', () => {
  assert.deepEqual(trigramsOf(['', 'a', 'ab']), [])
  assert.equal(trigramsOf(['abc', 'abcd']).length, 2)
  assert.equal(trigramsOf([Array.from({ length: 100 }, (_, index) => String(index)).join('')]).length, 32)
})

test('an intersection without messages is undefined', () => {
  assert.equal(intersection(Uint8Array.of(1, 0), Uint8Array.of(2, 0)), undefined)
  assert.deepEqual(intersection(Uint8Array.of(3, 5), Uint8Array.of(2, 4)), Uint8Array.of(2, 4))
})

function parts(text: string): string[] {
  return Array.from({ length: Math.max(0, text.length - 2) }, (_, start) => text.slice(start, start + 3))
}
