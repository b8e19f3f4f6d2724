import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cutText, graphemeStart, oneLine, storableText } from './text.ts'
import { wellFormedJson } from './codec/well-formed-json.ts'

const family = '👨🏻‍👩🏻‍👧🏻‍👦🏻'

test('cutText() cuts between graphemes', () => {
  assert.equal(cutText('abcdef', 6), 'abcdef')
  assert.equal(cutText('abcdefg', 6), 'abcde…')
  assert.equal(cutText('ab cdefg', 4), 'ab…')
  assert.equal(cutText(`ab${family}cd`, 10), 'ab…')
  assert.equal(cutText(`a${'e\u0301'.repeat(5)}`, 6), 'ae\u0301e\u0301…')
  assert.equal(cutText('🇯🇵🇫🇷🇩🇪', 9), '🇯🇵🇫🇷…')
  assert.equal(cutText('a\r\nb', 3), 'a…')
})

test('cutText() divides a grapheme of more than 32 units between code points', () => {
  const piled = `e${'\u{1d165}'.repeat(100)}`
  const cut = cutText(piled, 60)
  assert.ok(cut.length >= 59 && cut.length <= 60)
  assert.ok(cut.isWellFormed())
})

test('cutText() never divides a grapheme nor exceeds the length', () => {
  const piece = fc.constantFrom('a', ' ', family, 'e\u0301', '🇯🇵', '한', '\u{20bb7}', 'नि', '\r\n')
  const property = fc.property(
    fc.array(piece, { maxLength: 60 }),
    fc.integer({ min: 1, max: 80 }),
    (pieces, length) => {
      const text = pieces.join('')
      const cut = cutText(text, length)
      if (text.length <= length) return assert.equal(cut, text)
      assert.ok(cut.length <= length && cut.endsWith('…'))
      const segments = [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)]
      const starts = segments.map(({ index }) => text.slice(0, index).trimEnd())
      assert.ok(starts.includes(cut.slice(0, -1)))
    },
  )
  fc.assert(property)
})

test('graphemeStart() is the index itself at the ends and between graphemes', () => {
  assert.deepEqual(
    [-1, 0, 1, 2, 3, 9].map((index) => graphemeStart('ae\u0301', index)),
    [0, 0, 1, 1, 3, 3],
  )
})

test('oneLine() turns control characters and white space into one space', () => {
  assert.equal(oneLine(' a\r\n\tb\u0000c\u2028d\u0085e\u001b[31m '), 'a b c d e [31m')
})

test('storableText() replaces NUL and halves of surrogate pairs', () => {
  assert.equal(storableText('a\0b\ud800c\udc00😀'), 'a\ufffdb\ufffdc\ufffd😀')
})

test('wellFormedJson() replaces only halves of surrogate pairs', () => {
  const whole = String.raw`{"a":"\ud83d\ude00 \\ud83d \u0041 \"","b":"😀"}`
  assert.equal(wellFormedJson(whole), whole)
  assert.equal(wellFormedJson(String.raw`"\ud83d"`), '"\ufffd"')
  assert.equal(wellFormedJson(String.raw`"\uDE00\uD83D"`), '"\ufffd\ufffd"')
  assert.equal(wellFormedJson(String.raw`"\ud83d\ud83d\ude00"`), String.raw`"` + '\ufffd' + String.raw`\ud83d\ude00"`)
  assert.equal(wellFormedJson(String.raw`"\\\ud83d"`), String.raw`"\\` + '\ufffd"')
  assert.equal(wellFormedJson('"\ud83d"'), '"\ufffd"')
})

test('wellFormedJson() is JSON.stringify() of well-formed strings', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\\', '"', 'u', 'd83d', '\ud83d', '\ude00', '😀', '\n', '\0') })
  fc.assert(
    fc.property(text, (value) => {
      assert.deepEqual(JSON.parse(wellFormedJson(JSON.stringify({ value }))), { value: value.toWellFormed() })
    }),
  )
})
