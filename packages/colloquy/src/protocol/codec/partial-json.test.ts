import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { JsonReader, partialJson } from './partial-json.ts'

const cases: Array<[text: string, value: unknown]> = [
  ['', undefined],
  [' ', undefined],
  ['{', {}],
  ['{"a', {}],
  ['{"a"', {}],
  ['{"a":', {}],
  ['{"a":"', { a: '' }],
  ['{"a":"b', { a: 'b' }],
  ['{"a":"b","', { a: 'b' }],
  ['{"a":1', {}],
  ['{"a":1 ', { a: 1 }],
  ['{"a":1,', { a: 1 }],
  ['{"a":-', {}],
  ['{"a":-1.5e', {}],
  ['{"a":-1.5e3}', { a: -1500 }],
  ['{"a":tru', {}],
  ['{"a":true', { a: true }],
  ['{"a":null', { a: null }],
  ['[', []],
  ['[1', []],
  ['[1,', [1]],
  ['[[],{},[[', [[], {}, [[]]]],
  ['{"a":{"b":[{"c":"d', { a: { b: [{ c: 'd' }] } }],
  ['"a\\', 'a'],
  ['"a\\u', 'a'],
  ['"a\\u00e', 'a'],
  ['"a\\u00e9', 'aé'],
  ['"\\"\\\\\\/\\b\\f\\n\\r\\t', '"\\/\b\f\n\r\t'],
  ['"a\\ud83e', 'a'],
  ['"a\\ud83e\\udd8b', 'a🦋'],
  ['"a\ud83e', 'a'],
  ['"a\ud83e"', 'a\ud83e'],
  ['"a\\ud83eb', 'a\ud83eb'],
  ['12', 12],
  ['{"__proto__":{"a":1}}', JSON.parse('{"__proto__":{"a":1}}')],
]

for (const [text, value] of cases) {
  test(`partialJson() reads ${text || 'nothing'}`, () => assert.deepEqual(partialJson(text), value))
}

const broken: Array<[text: string, value: unknown]> = [
  ['x', undefined],
  ['{"a":"b" x, "c":1}', { a: 'b' }],
  ['{"a":1,}', { a: 1 }],
  ['{a:1}', {}],
  ['{"a" 1}', {}],
  ['[1,]', [1]],
  ['[1}', [1]],
  ['[01]', []],
  ['[1.]', []],
  ['[truex]', [true]],
  ['[nul]', []],
  ['["a\\x"]', ['a']],
  ['["a\\u00g0"]', ['a']],
  ['[1] [2]', [1]],
]

for (const [text, value] of broken) {
  test(`partialJson() returns what precedes the mistake in ${text}`, () => {
    assert.deepEqual(partialJson(text), value)
    assert.deepEqual(inPieces(text), value)
  })
}

test('partialJson() accepts a line break inside a string', () => {
  assert.deepEqual(partialJson('{"a":"b\nc"}'), { a: 'b\nc' })
})

function inPieces(text: string): unknown {
  const reader = new JsonReader()
  for (const unit of text.split('')) reader.push(unit)
  return reader.value
}

/**
 * A value and one of its texts. The value, and not what `JSON.parse` makes of the text: V8's parser now and then gives a key
 * that is written with an escape the name of another.
 */
const valueAndText = fc
  .tuple(
    fc.jsonValue({
      stringUnit: fc.constantFrom('a', '"', '\\', '\n', 'é', '🦋', '\ud83e', '\udd8b', '\u2028', '__proto__'),
    }),
    fc.constantFrom(undefined, 1, '\t'),
    fc.boolean(),
  )
  .map(([value, space, isEscaped]) => {
    const text = JSON.stringify(value, null, space)
    const escaped = text.replace(/[^ -~\s]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    return { value, text: isEscaped ? escaped : text }
  })
const anyJson = valueAndText.map(({ text }) => text)

test('partialJson() of a complete text is its value', () => {
  fc.assert(
    fc.property(valueAndText, ({ value, text }) =>
      assert.equal(JSON.stringify(partialJson(text)), JSON.stringify(value)),
    ),
  )
})

test('partialJson() of any prefix is a beginning of the value', () => {
  fc.assert(
    fc.property(valueAndText, ({ value, text }) => {
      const whole: unknown = JSON.parse(text)
      fc.pre(JSON.stringify(whole) === JSON.stringify(value))
      if (typeof whole === 'number') return
      for (let length = 0; length < text.length; length++) {
        const value = partialJson(text.slice(0, length))
        assert.ok(isBeginning(value, whole), `${text.slice(0, length)} gave ${JSON.stringify(value)}`)
      }
    }),
  )
})

function isBeginning(part: unknown, whole: unknown): boolean {
  if (part === undefined) return true
  if (typeof part === 'string') return typeof whole === 'string' && whole.startsWith(part)
  if (typeof part !== 'object' || part === null || typeof whole !== 'object' || whole === null)
    return Object.is(part, whole)
  const parts = Object.entries(part)
  const wholes = Object.entries(whole)
  // Integer keys come first whatever their place in the text, so keys are looked up; only the last may be unfinished.
  return (
    Array.isArray(part) === Array.isArray(whole) &&
    parts.length <= wholes.length &&
    parts.every(([key, item]) => wholes.some(([other, value]) => other === key && isBeginning(item, value)))
  )
}

test('partialJson() includes everything that is certain', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.nat(), (items, cut) => {
      const texts = items.map((item) => JSON.stringify(item))
      const whole = texts.slice(0, cut % (texts.length + 1))
      assert.deepEqual(partialJson(`[${whole.map((text) => `${text},`).join('')}`), JSON.parse(`[${whole.join()}]`))
    }),
  )
})

test('JsonReader gives the same values wherever the text is cut', () => {
  fc.assert(
    fc.property(anyJson, fc.array(fc.nat()), (text, places) => {
      const reader = new JsonReader()
      let start = 0
      for (const end of places.map((place) => place % (text.length + 1)).toSorted((a, b) => a - b)) {
        assert.deepEqual(reader.push(text.slice(start, end)), partialJson(text.slice(0, end)))
        start = end
      }
    }),
  )
})

test('JsonReader returns one value, which grows in place', () => {
  const reader = new JsonReader()
  const value = reader.push('{"a":[1,')
  reader.push('2,"b')
  assert.equal(reader.value, value)
  assert.deepEqual(value, { a: [1, 2, 'b'] })
})

test('JsonReader reads a megabyte in pieces of 20 characters, with a value after each', () => {
  const items = Array.from({ length: 20_000 }, (_, index) => ({ index, text: `line ${index}\n`.repeat(2) }))
  const text = JSON.stringify({ items, code: 'x\n'.repeat(200_000) })
  const reader = new JsonReader()
  for (let at = 0; at < text.length; at += 20) assert.ok(reader.push(text.slice(at, at + 20)))
  assert.deepEqual(reader.value, JSON.parse(text))
})
