import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ContinuationJoiner, anchorOf } from './continuation-joiner.ts'

/** The text that was handed out, joined to a continuation that arrives in pieces. */
function joined(handedOut: string, continuation: string, { asksToRepeat = false, size = 1 } = {}): string {
  const joiner = new ContinuationJoiner(handedOut, { asksToRepeat })
  let text = handedOut
  for (let at = 0; at < continuation.length; at += size) text += joiner.push(continuation.slice(at, at + size))
  return text + joiner.end()
}

const word = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '.', 'é') })

test('ContinuationJoiner joins a prefilled text at any cut', () => {
  fc.assert(
    fc.property(word, word, fc.integer({ min: 1, max: 9 }), (before, after, size) => {
      const text = before + after
      // The API accepts no white space at the end of a prefill, so the model continues after the last word.
      assert.equal(joined(before, text.slice(before.trimEnd().length), { size }), text)
    }),
  )
})

test('ContinuationJoiner joins a text whose end was repeated at any cut', () => {
  fc.assert(
    fc.property(word, word, fc.integer({ min: 1, max: 99 }), (before, after, size) => {
      const text = before + after
      const words = before.trimEnd()
      fc.pre(words !== '')
      assert.equal(joined(before, anchorOf(words) + text.slice(words.length), { asksToRepeat: true, size }), text)
    }),
  )
})

test('ContinuationJoiner passes a continuation that repeats nothing', () => {
  assert.equal(joined('The quick bro', 'wn fox', { asksToRepeat: true }), 'The quick brown fox')
  assert.equal(joined('The quick', ' brown fox', { asksToRepeat: true }), 'The quick brown fox')
  assert.equal(joined('The quick ', 'brown fox', { asksToRepeat: true }), 'The quick brown fox')
})

test('ContinuationJoiner joins at a partial repetition unless it is short', () => {
  const text = `${'Once upon a time, '.repeat(3)}it was the best of times, it was the worst of `
  assert.equal(
    joined(text, 'it was the best of times, it was the worst of times', { asksToRepeat: true }),
    `${text}times`,
  )
  assert.equal(
    joined(text, '\n\nit was the best of times, it was the worst of times', { asksToRepeat: true }),
    `${text}times`,
  )
  const table = `${'-'.repeat(100)}\n| a | b |\n`
  assert.equal(joined(table, '| a | b |\n| c | d |', { asksToRepeat: true }), `${table}| a | b |\n| c | d |`)
})

test('ContinuationJoiner does not repeat the white space of a gap', () => {
  assert.equal(joined('Hello\n\n', '\n\nworld'), 'Hello\n\nworld')
  assert.equal(joined('Hello\n\n', ' world'), 'Hello\n\nworld')
  assert.equal(joined('Hello ', '  world'), 'Hello  world')
  assert.equal(joined('Hello ', 'world'), 'Hello world')
  assert.equal(joined('Hello ', ' '), 'Hello ')
})

test('ContinuationJoiner hands text out as soon as it is certain', () => {
  const joiner = new ContinuationJoiner('Hello')
  assert.equal(joiner.push(' '), ' ')
  assert.equal(joiner.push('x'), 'x')
  const asked = new ContinuationJoiner('Hello world, how are you', { asksToRepeat: true })
  assert.equal(asked.push('q'), 'q')
})
