import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jsonElements, jsonMembers } from './json-members.ts'

const space = fc.constantFrom('', ' ', '\n\t')

test('jsonMembers() returns the exact text of each member', () => {
  const json = '{ "a" : 1.0 ,"b":{"c":[1,{"d":"}\\""}]}, "\\u0065":[ ] ,"10": 12345678901234567890}'
  assert.deepEqual(
    [...jsonMembers(json)],
    [
      ['a', '1.0'],
      ['b', '{"c":[1,{"d":"}\\""}]}'],
      ['e', '[ ]'],
      ['10', '12345678901234567890'],
    ],
  )
  assert.deepEqual([...jsonMembers(' {} ')], [])
})

test('jsonElements() returns the exact text of each element', () => {
  assert.deepEqual(jsonElements('[1.0, "a,]" ,{"b":[2]},[]]'), ['1.0', '"a,]"', '{"b":[2]}', '[]'])
  assert.deepEqual(jsonElements(' [ ] '), [])
})

test('jsonMembers() and jsonElements() are exact for any values and spaces', () => {
  const members = fc.uniqueArray(fc.tuple(fc.string({ unit: 'binary' }), fc.jsonValue(), space, space), {
    selector: ([name]) => name,
  })
  fc.assert(
    fc.property(members, (list) => {
      const texts = list.map(([name, value]) => [name, JSON.stringify(value)] as const)
      const object = list.map(
        ([name, value, before, after]) =>
          `${before}${JSON.stringify(name)}${after}:${before}${JSON.stringify(value)}${after}`,
      )
      assert.deepEqual([...jsonMembers(`{${object.join(',')}}`)], texts)
      const elements = list.map(([, value, before, after]) => `${before}${JSON.stringify(value)}${after}`)
      assert.deepEqual(
        jsonElements(`[${elements.join(',')}]`),
        texts.map(([, text]) => text),
      )
    }),
  )
})

test('text that is not an object, a list or JSON is refused', () => {
  for (const json of ['[]', '1', 'null', '"a"', '{', '']) assert.throws(() => jsonMembers(json), SyntaxError)
  for (const json of ['{}', '1', 'null', '"a"', '[', '']) assert.throws(() => jsonElements(json), SyntaxError)
})
