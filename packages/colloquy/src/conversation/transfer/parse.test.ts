import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { collected, type Pausable } from '../in-slices.ts'
import { parsed, parsedElements, parsedMembers } from './parse.ts'

/** Runs a pass without pauses. */
function done<Result>(pass: Pausable<Result>): Result {
  for (;;) {
    const { done, value } = pass.next()
    if (done) return value
  }
}

/** The value that a function returns, or the name and message of its error. */
function outcome(run: () => unknown): unknown {
  try {
    return { value: run() }
  } catch (error) {
    const { name, message } = error as Error
    return { name, message }
  }
}

const space = fc.constantFrom('', ' ', '\n\t')
const value = fc.jsonValue({ maxDepth: 3 }).map((json) => JSON.stringify(json))
/** A text of this length is cut. */
const long = JSON.stringify('x'.repeat(65_536))
const name = fc.oneof(
  fc.constantFrom('"a"', '"__proto__"', '"1"', '"\\u0061"'),
  fc.string({ unit: 'binary', maxLength: 3 }).map((name) => JSON.stringify(name)),
)
const parts = fc.array(fc.tuple(name, value, space), { maxLength: 5 })
const list = parts.map((all) => `[${[...all.map(([, json, gap]) => gap + json + gap), long].join(',')}]`)
const object = parts.map((all) => {
  return `{${[`"long":${long}`, ...all.map(([name, json, gap]) => `${gap}${name}${gap}:${gap}${json}${gap}`)].join(',')}}`
})
const document = fc
  .tuple(fc.oneof(list, object), space, fc.nat(3))
  .map(([json, gap, depth]) => `${gap}${'['.repeat(depth)}${json}${']'.repeat(depth)}${gap}`)

const numRuns = Math.min(Number(process.env['COLLOQUY_FUZZ'] ?? 50), 2_000)

describe('parsed()', () => {
  test('returns what JSON.parse() returns, in the same order of keys', () => {
    fc.assert(
      fc.property(document, (text) => {
        const [found, expected] = [done(parsed(text)), JSON.parse(text) as unknown]
        assert.deepEqual(found, expected)
        assert.equal(JSON.stringify(found), JSON.stringify(expected))
      }),
      { numRuns },
    )
  })

  test('throws the error of JSON.parse() for a text with one character too many or too few', () => {
    const sign = fc.constantFrom('', ',', ':', '"', '[', ']', '{', '}', '\\', ' ', '\u00a0', '\n', 'x', '0')
    const place = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1))
    fc.assert(
      fc.property(document, place, sign, fc.nat(1), (text, where, inserted, removed) => {
        // Counted without the long string, in which most changes would be.
        const start = text.indexOf(long)
        const at = Math.round(where * (text.length - long.length))
        const index = at <= start ? at : at + long.length
        const changed = text.slice(0, index) + inserted + text.slice(index + removed)
        assert.deepEqual(
          outcome(() => done(parsed(changed))),
          outcome(() => JSON.parse(changed)),
        )
      }),
      { numRuns },
    )
  })

  test('ends in a time that grows with the length of a text nested a hundred thousand times', () => {
    const text = '['.repeat(100_000)
    const steps = [...parsed(text + ']'.repeat(100_000))]
    assert.ok(steps.length < 10, String(steps.length))
    assert.throws(() => done(parsed(text)), SyntaxError)
  })
})

test('parsedElements() and parsedMembers() return the exact text, the place and the value of each part', () => {
  const text = ` { "a" : 1.0 ,"a":[ 2, {"b":"}"} ]}`
  const members = done(parsedMembers(text))
  assert.deepEqual([...members!], [['a', { name: 'a', start: 18, json: '[ 2, {"b":"}"} ]', value: [2, { b: '}' }] }]])
  assert.deepEqual(done(collected(parsedElements('[1.0 ,"]" ]'))), [
    { name: '', start: 1, json: '1.0', value: 1 },
    { name: '', start: 6, json: '"]"', value: ']' },
  ])
  for (const json of ['[]', '1', 'null', '"a"', '{', '', '{"a":1}{"b":2}', '{"a":1,}', '{a:1}']) {
    assert.equal(done(parsedMembers(json)), undefined)
  }
  for (const json of ['[', '[1,]', '[1]]', '[,]', '{', '1 ]'])
    assert.throws(() => done(collected(parsedElements(json))), SyntaxError)
})
