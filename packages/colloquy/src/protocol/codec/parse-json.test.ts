import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseJson } from './parse-json.ts'

const key = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', '\u0001', '\ud83e', '__proto__'), maxLength: 2 })

// The texts are put together by hand: an object with the same keys would teach V8 their names.
test('parseJson() gives each key its own name after any earlier parse', () => {
  assert.deepEqual(Object.keys(parseJson(String.raw`{"h":[],"\\":0}`) as object), ['h', '\\'])
  assert.deepEqual(Object.keys(parseJson(String.raw`{"h":1,"\"":2}`) as object), ['h', '"'])
  assert.deepEqual(Object.keys((parseJson(String.raw`[{"h":1,"\n":2}]`) as object[])[0]!), ['h', '\n'])
  fc.assert(
    fc.property(fc.uniqueArray(key, { maxLength: 4 }), fc.array(fc.nat(1)), (keys, levels) => {
      let text = `{${keys.map((key) => `${JSON.stringify(key)}:"\\n"`).join(',')}}`
      for (const level of levels) text = level === 0 ? `[1,${text}]` : `{"in":${text}}`
      let value = parseJson(text)
      for (const level of levels.toReversed()) value = (value as Record<string, unknown>)[level === 0 ? 1 : 'in']
      assert.deepEqual(
        Object.entries(value as object),
        keys.map((key) => [key, '\n']),
      )
    }),
    { numRuns: 1_000 },
  )
})

test('parseJson() reads values nested deeper than the stack, and throws for invalid JSON', () => {
  const text = `{"a\\\\":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  let depth = 0
  let [item] = Object.values(parseJson(text) as Record<string, unknown[]>)
  for (; item; item = item[0] as unknown[] | undefined) depth++
  assert.equal(depth, 100_000)
  for (const bad of ['', '{', '{"\\":1}', 'nul', '{"a":1}}']) assert.throws(() => parseJson(bad), SyntaxError)
})
