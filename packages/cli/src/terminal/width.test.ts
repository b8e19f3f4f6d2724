import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { cutTo, graphemes, rowsOf, widthOf } from './width.ts'

test('widthOf() counts 2 for wide characters and emoji, 0 for combining marks', () => {
  const widths: [string, number][] = [
    ['', 0],
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['日本語', 6],
    ['한국어', 6],
    ['ｆｕｌｌ', 8],
    ['ﾊﾝｶｸ', 4],
    ['👍', 2],
    ['👍🏽', 2],
    ['👩‍👩‍👧', 2],
    ['🇯🇵', 2],
    ['❤️', 2],
    ['❤', 1],
    ['1️⃣', 2],
    ['→ — …', 5],
    ['a\u200bb', 2],
    ['שלום', 4],
  ]
  for (const [text, width] of widths) assert.equal(widthOf(text), width, JSON.stringify(text))
})

test('widthOf() ignores escape sequences', () => {
  assert.equal(widthOf('\x1b[1;36mbold\x1b[0m'), 4)
  assert.equal(widthOf('\x1b]8;;https://a.b\x1b\\link\x1b]8;;\x1b\\'), 4)
})

test('widthOf() extends tabs to the next multiple of 8', () => {
  assert.equal(widthOf('\tx'), 9)
  assert.equal(widthOf('abc\tx'), 9)
})

test('rowsOf() counts the rows of a line in a window', () => {
  assert.deepEqual(
    ['', 'a'.repeat(10), 'a'.repeat(11), '日'.repeat(6)].map((line) => rowsOf(line, 10)),
    [1, 1, 2, 2],
  )
})

test('graphemes() agrees with Intl.Segmenter', () => {
  const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  const unit = fc.oneof(
    fc.constantFrom(
      'a',
      '\n',
      '\t',
      'é',
      'e\u0301',
      '日',
      'か\u3099',
      'ｶ\uff9e',
      '한',
      '\u1100\u1161',
      '👍🏽',
      '👩‍👩‍👧',
      '❤️',
      '©\ufe0f',
      '🇯🇵',
    ),
    fc.integer({ min: 0x20, max: 0xffff }).map((code) => String.fromCharCode(code)),
  )
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 8 }), (text) => {
      assert.deepEqual(
        [...graphemes(text)],
        Array.from(segmenter.segment(text), ({ segment }) => segment),
      )
    }),
    { numRuns: 5000 },
  )
})

test('cutTo() does not split graphemes', () => {
  assert.equal(cutTo('short', 10), 'short')
  assert.equal(cutTo('日本語テキスト', 6), '日本…')
  assert.deepEqual([...graphemes('a👩‍👩‍👧é')], ['a', '👩‍👩‍👧', 'é'])
})
