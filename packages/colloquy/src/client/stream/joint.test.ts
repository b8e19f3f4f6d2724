import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Joint, anchorOf } from './joint.ts'

/** What a joint lets through of a continuation that comes in pieces. */
function joined(handedOut: string, continuation: string, repeats: boolean, size = 1): string {
  const joint = new Joint(handedOut, repeats)
  let text = handedOut
  for (let at = 0; at < continuation.length; at += size) text += joint.push(continuation.slice(at, at + size))
  return text + joint.end()
}

const word = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '.', 'é') })

test('after a prefill, a text that is cut anywhere is joined to itself', () => {
  fc.assert(
    fc.property(word, word, fc.integer({ min: 1, max: 9 }), (before, after, size) => {
      const text = before + after
      // The API takes no white space at the end of a prefill, so the model goes on from the last word.
      assert.equal(joined(before, text.slice(before.trimEnd().length), false, size), text)
    }),
  )
})

test('after the end was repeated as asked, a text that is cut anywhere is joined to itself', () => {
  fc.assert(
    fc.property(word, word, fc.integer({ min: 1, max: 99 }), (before, after, size) => {
      const text = before + after
      const words = before.trimEnd()
      fc.pre(words !== '')
      assert.equal(joined(before, anchorOf(words) + text.slice(words.length), true, size), text)
    }),
  )
})

test('a continuation that repeats nothing is let through as it is', () => {
  assert.equal(joined('The quick bro', 'wn fox', true), 'The quick brown fox')
  assert.equal(joined('The quick', ' brown fox', true), 'The quick brown fox')
  assert.equal(joined('The quick ', 'brown fox', true), 'The quick brown fox')
})

test('a continuation that repeats less than it was asked to is joined at what is shared, unless that is short', () => {
  const text = `${'Once upon a time, '.repeat(3)}it was the best of times, it was the worst of `
  assert.equal(joined(text, 'it was the best of times, it was the worst of times', true), `${text}times`)
  assert.equal(joined(text, '\n\nit was the best of times, it was the worst of times', true), `${text}times`)
  const table = `${'-'.repeat(100)}\n| a | b |\n`
  assert.equal(joined(table, '| a | b |\n| c | d |', true), `${table}| a | b |\n| c | d |`)
})

test('one gap is not filled twice', () => {
  assert.equal(joined('Hello\n\n', '\n\nworld', false), 'Hello\n\nworld')
  assert.equal(joined('Hello\n\n', ' world', false), 'Hello\n\nworld')
  assert.equal(joined('Hello ', '  world', false), 'Hello  world')
  assert.equal(joined('Hello ', 'world', false), 'Hello world')
  assert.equal(joined('Hello ', ' ', false), 'Hello ')
})

test('what can be told is let through at once', () => {
  const joint = new Joint('Hello', false)
  assert.equal(joint.push(' '), ' ')
  assert.equal(joint.push('x'), 'x')
  const asked = new Joint('Hello world, how are you', true)
  assert.equal(asked.push('q'), 'q')
})
