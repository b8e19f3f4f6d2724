import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { type JsonSchema, checkJson, describeIssues } from './json-schema.ts'

const cases: Array<[schema: JsonSchema, good: unknown[], bad: unknown[]]> = [
  [{ type: 'string' }, ['', 'a'], [1, null, {}, []]],
  [{ type: 'integer' }, [0, -1, 2.0], [1.5, '1']],
  [{ type: 'number' }, [0, 1.5], ['1', true]],
  [{ type: 'boolean' }, [true, false], [0, 'true']],
  [{ type: 'null' }, [null], [0, '']],
  [{ type: 'array' }, [[], [1]], [{}, 'a']],
  [{ type: 'object' }, [{}, { a: 1 }], [[], null]],
  [{ type: ['string', 'null'] }, ['a', null], [1]],
  [{ enum: ['a', 1, { b: [1] }] }, ['a', 1, { b: [1] }], ['b', '1', { b: [2] }]],
  [{ const: { a: 1, b: 2 } }, [{ b: 2, a: 1 }], [{ a: 1 }]],
  [{ const: null }, [null], [0]],
  [{ minLength: 1, maxLength: 2 }, ['a', '𝒳𝒳', 7], ['', 'abc']],
  [{ pattern: '^a+$' }, ['aa'], ['ab']],
  [{ minimum: 1, maximum: 2 }, [1, 2, 'x'], [0.9, 2.1]],
  [{ exclusiveMinimum: 1, exclusiveMaximum: 2 }, [1.5], [1, 2]],
  [{ multipleOf: 0.1 }, [0.3, 1, 0], [0.35]],
  [{ items: { type: 'string' } }, [[], ['a']], [['a', 1]]],
  [{ prefixItems: [{ type: 'string' }], items: false }, [['a'], []], [[1], ['a', 'b']]],
  [{ minItems: 1, maxItems: 2 }, [[1]], [[], [1, 2, 3]]],
  [
    { uniqueItems: true },
    [[1, 2, { a: 1 }]],
    [
      [1, 1],
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
    ],
  ],
  [{ required: ['a'] }, [{ a: undefined }, { a: 1 }, 'not an object'], [{}, { b: 1 }]],
  [{ properties: { a: { type: 'string' } } }, [{}, { a: 'x', b: 1 }], [{ a: 1 }]],
  [{ properties: { a: {} }, additionalProperties: false }, [{}, { a: 1 }], [{ b: 1 }]],
  [{ additionalProperties: { type: 'string' } }, [{ a: 'x' }], [{ a: 1 }]],
  [
    { patternProperties: { '^x-': { type: 'string' } }, additionalProperties: false },
    [{ 'x-a': '' }],
    [{ 'x-a': 1 }, { a: '' }],
  ],
  [{ propertyNames: { maxLength: 1 } }, [{ a: 1 }], [{ ab: 1 }]],
  [{ minProperties: 1, maxProperties: 1 }, [{ a: 1 }], [{}, { a: 1, b: 2 }]],
  [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, ['a', null], [1]],
  [{ oneOf: [{ type: 'integer' }, { minimum: 5 }] }, [1, 5.5], [7, 1.5]],
  [{ allOf: [{ type: 'string' }, { minLength: 2 }] }, ['ab'], ['a', 1]],
  [{ not: { type: 'string' } }, [1], ['a']],
  [{ $ref: '#/$defs/a', $defs: { a: { type: 'string' } } }, ['a'], [1]],
  [{ format: 'email', 'x-note': 1 }, ['no address', 1], []],
]

for (const [schema, good, bad] of cases) {
  test(`checkJson() checks a value against ${JSON.stringify(schema)}`, () => {
    for (const value of good) assert.deepEqual(checkJson(schema, value), [], JSON.stringify(value))
    for (const value of bad) assert.notDeepEqual(checkJson(schema, value), [], JSON.stringify(value))
  })
}

test('checkJson() names the path, what was expected and what was found', () => {
  const schema = {
    type: 'object',
    properties: {
      place: { type: 'string' },
      days: { type: 'array', items: { type: 'integer', minimum: 1 } },
      unit: { enum: ['c', 'f'] },
    },
    required: ['place'],
    additionalProperties: false,
  }
  const issues = checkJson(schema, { days: [1, 'two', 0], unit: 'k', city: 'Kyoto' })
  assert.equal(
    describeIssues(issues),
    [
      'place: is required and missing',
      'days.1: must be an integer: found "two"',
      'days.2: must be at least 1: found 0',
      'unit: must be one of "c", "f": found "k"',
      'city: is not a property of the schema, which has place, days, unit: found city',
    ].join('\n'),
  )
})

function shape(kind: string, field: string): JsonSchema {
  const properties = { kind: { const: kind }, [field]: { type: 'object', properties: { n: { type: 'integer' } } } }
  return { type: 'object', properties, required: ['kind', field] }
}

test('checkJson() reports the choice that fits best', () => {
  const issues = checkJson({ anyOf: [shape('a', 'one'), shape('b', 'two')] }, { kind: 'b', two: { n: 'x' } })
  assert.deepEqual(issues, [{ path: ['two', 'n'], message: 'must be an integer: found "x"' }])
})

test('checkJson() follows a recursive schema, and stops at one that only refers to itself', () => {
  const tree = {
    type: 'object',
    properties: { children: { type: 'array', items: { $ref: '#' } } },
    required: ['children'],
  }
  assert.deepEqual(checkJson(tree, { children: [{ children: [] }] }), [])
  assert.deepEqual(
    checkJson(tree, { children: [{ children: [{}] }] }).map(({ path }) => path.join('.')),
    ['children.0.children.0.children'],
  )
  assert.deepEqual(checkJson({ $ref: '#' }, 1), [])
})

test('checkJson() reports a reference without a target', () => {
  assert.match(describeIssues(checkJson({ $ref: '#/$defs/none' }, 1)), /the schema has nothing at #\/\$defs\/none/)
  assert.match(describeIssues(checkJson({ $ref: 'https://example.com/a' }, 1)), /the schema has nothing at https/)
})

test('checkJson() accepts every value of an enum in any order of keys', () => {
  const reversed = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(reversed)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .toReversed()
              .map(([key, item]) => [key, reversed(item)]),
          )
        : value
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json: unknown = JSON.parse(JSON.stringify(value))
      assert.deepEqual(checkJson({ enum: [json] }, reversed(json)), [])
    }),
  )
})

test('describeIssues() names ten issues and counts the rest', () => {
  const issues = checkJson({ required: Array.from({ length: 12 }, (_, index) => `k${index}`) }, {})
  assert.match(describeIssues(issues), /k9: is required and missing\nand 2 more$/)
})

test('checkJson() ends soon, and says little, whatever schema and value are', () => {
  const text = `${'a'.repeat(50_000)}!`
  for (const pattern of ['^(a+)+$', '^(a|a)*$', '^(\\w+\\s?)*$', '^((a*)*)*$'])
    assert.equal(checkJson({ pattern }, text).length, 1, pattern)
  assert.deepEqual(checkJson({ pattern: '^(ab)+$' }, 'abab'), [])
  assert.equal(checkJson({ pattern: '^(?!a)(b)+$' }, 'abb').length, 1)

  const branch = { type: 'object', properties: { l: { $ref: '#/$defs/x' } } }
  const schema = { $ref: '#/$defs/x', $defs: { x: { anyOf: [branch, { ...branch, required: ['z'] }] } } }
  let deep: unknown = 5
  for (let level = 0; level < 30; level++) deep = { l: deep }
  assert.throws(() => checkJson(schema, deep), { message: 'Cannot check the value: the schema takes too many steps' })
  for (let level = 0; level < 100_000; level++) deep = { l: deep }
  const tree = { type: 'object', properties: { l: { $ref: '#' } } }
  assert.match(describeIssues(checkJson(tree, deep)), /must not be nested more than 1000 levels deep$/)
  assert.equal(
    describeIssues(checkJson({ type: 'string' }, deep)),
    'must be a string: found a value that JSON cannot hold',
  )

  const names = Array.from({ length: 10_000 }, (_, index) => `name${index}`)
  assert.match(
    describeIssues(checkJson({ enum: names }, 'x'.repeat(1_000))),
    /^.{1,800} and 9950 more: found "x{70,80}\.\.\.$/,
  )
  const properties = Object.fromEntries(names.map((name) => [name, {}]))
  const closed = { properties, additionalProperties: false }
  assert.match(describeIssues(checkJson(closed, { odd: 1 })), /^.{1,800} and 9950 more: found odd$/)
})
