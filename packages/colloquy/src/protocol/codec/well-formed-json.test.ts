import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { wellFormedJson } from './well-formed-json.ts'

const cases: [name: string, text: string, expected: string][] = [
  ['text', 'hello', 'hello'],
  ['a whole pair', '🙂', '🙂'],
  ['a lone high surrogate', 'a\ud83d', 'a\ufffd'],
  ['a lone low surrogate', '\ude42b', '\ufffdb'],
  ['a pair in the wrong order', '\ude42\ud83d', '\ufffd\ufffd'],
  ['two high surrogates', '\ud83d\ud83d', '\ufffd\ufffd'],
  ['a high surrogate before a pair', '\ud83d🙂', '\ufffd🙂'],
  ['the text of an escape', '\\ud83d', '\\ud83d'],
  ['the text of an escape after a backslash', '\\\\ud83d\ud83d', '\\\\ud83d\ufffd'],
  ['an escape of another character', '\u0007\u001f', '\u0007\u001f'],
]

for (const [name, text, expected] of cases) {
  test(`wellFormedJson() of ${name}`, () => assert.equal(JSON.parse(wellFormedJson(JSON.stringify(text))), expected))
}

test('wellFormedJson() replaces lone surrogates in keys', () => {
  assert.equal(wellFormedJson('{"\\ud83d":1}'), '{"\\ufffd":1}')
})

test('wellFormedJson() matches toWellFormed() for any text', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('\ud83d', '\ude42', '\\', 'u', 'd83d', 'ud', '"', 'a', '\n')), (parts) => {
      const text = parts.join('')
      assert.equal(JSON.parse(wellFormedJson(JSON.stringify(text))), text.toWellFormed())
    }),
  )
})
