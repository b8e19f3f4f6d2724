import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkJson, describeIssues } from '../../../protocol/json/json-schema.ts'
import { exampleOf } from './pattern.ts'
import { parseRegex } from '../../../protocol/json/regex.ts'
import { sample } from './sample.ts'

type Schema = Record<string, unknown>

function satisfies(schema: Schema, text = ''): unknown {
  const value = sample(schema, text)
  const issues = checkJson(schema, value)
  assert.deepEqual(issues, [], `${JSON.stringify(schema)} → ${JSON.stringify(value)}: ${describeIssues(issues)}`)
  return value
}

const { schema: anySchema } = fc.letrec<{ schema: Schema; leaf: Schema }>((tie) => ({
  leaf: fc.oneof(
    fc.constant<Schema>({ type: 'boolean' }),
    fc.constant<Schema>({ type: 'null' }),
    fc.record({ type: fc.constant('string'), minLength: fc.nat(20) }),
    fc.record({ type: fc.constant('string'), maxLength: fc.nat(20) }),
    fc.record({ type: fc.constant('string'), format: fc.constantFrom('date', 'email', 'uuid', 'uri') }),
    fc.record({
      enum: fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ const: fc.oneof(fc.string(), fc.integer()) }),
    fc
      .tuple(fc.integer({ min: -50, max: 50 }), fc.nat(40))
      .map(([minimum, span]) => ({ type: 'integer', minimum, maximum: minimum + span })),
    fc.record({ type: fc.constant('number'), exclusiveMinimum: fc.integer({ min: -9, max: 9 }) }),
    fc.record({
      type: fc.constant('integer'),
      multipleOf: fc.integer({ min: 1, max: 7 }),
      minimum: fc.integer({ min: -20, max: 20 }),
    }),
  ),
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    fc
      .tuple(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), tie('schema'), { maxKeys: 4 }), fc.boolean())
      .map(([properties, isClosed]) => ({
        type: 'object',
        properties,
        required: Object.keys(properties),
        ...(isClosed ? { additionalProperties: false } : {}),
      })),
    fc.tuple(tie('schema'), fc.nat(3)).map(([items, minItems]) => ({ type: 'array', items, minItems })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
  ),
}))

test('sample() satisfies generated schemas for any text', () => {
  fc.assert(
    fc.property(
      anySchema,
      fc.constantFrom('', 'Book 3 seats to Paris on day -7', 'name: Ada, no 42'),
      (schema, text) => {
        satisfies(schema, text)
      },
    ),
    { numRuns: 500 },
  )
})

test('sample() uses values from the text that fit', () => {
  const schema = {
    type: 'object',
    properties: {
      location: { type: 'string' },
      unit: { type: 'string', enum: ['celsius', 'fahrenheit'] },
      days: { type: 'integer', minimum: 1, maximum: 7 },
      guest: { type: 'string' },
    },
    required: ['location', 'unit', 'days', 'guest'],
  }
  const text = 'What is the weather in New York for 5 days, in Fahrenheit? The guest is Ada.'
  assert.deepEqual(satisfies(schema, text), { location: 'New York', unit: 'fahrenheit', days: 5, guest: 'Ada' })
})

test('sample() omits optional properties unless the text names them', () => {
  const schema = {
    type: 'object',
    properties: { city: { type: 'string' }, zip: { type: 'string' } },
    required: ['city'],
  }
  assert.deepEqual(sample(schema, 'to Rome'), { city: 'Rome' })
  assert.deepEqual(sample(schema, 'to Rome, zip: 00118'), { city: 'Rome', zip: '00118' })
})

test('sample() follows references and stops in recursive schemas', () => {
  const tree = {
    $ref: '#/$defs/node',
    $defs: {
      node: {
        type: 'object',
        properties: {
          name: { type: 'string' },
          next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
          children: { type: 'array', items: { $ref: '#/$defs/node' } },
        },
        required: ['name', 'next', 'children'],
      },
    },
  }
  satisfies(tree)
})

test('sample() merges allOf and makes unique items distinct', () => {
  satisfies({
    allOf: [
      { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
      { properties: { b: { type: 'string' } }, required: ['b'] },
    ],
  })
  satisfies({ type: 'array', items: { type: 'string' }, minItems: 3, uniqueItems: true })
  satisfies({ type: 'object', minProperties: 2 })
  satisfies({ type: ['string', 'null'], minLength: 3 })
})

test('exampleOf() matches the patterns that schemas use', () => {
  const patterns = [
    '^[A-Z]{2}-\\d{4}$',
    '^(red|green)$',
    '^\\w+@\\w+\\.com$',
    '^[^a]b?c*$',
    '^(?:ab){2,3}$',
    '^\\p{Lu}\\p{Ll}+$',
    '^#[0-9a-f]{6}$',
    '^\\S+$',
  ]
  for (const pattern of patterns) assert.match(exampleOf(parseRegex(pattern)), new RegExp(pattern, 'u'), pattern)
  assert.ok(exampleOf(parseRegex('^a+$'), 5).length >= 5)
  satisfies({ type: 'string', pattern: '^[a-z]+$', minLength: 8 })
})

test('sample() has a second for its steps, and none is taken by a machine that stands still', (t) => {
  const schema = { type: 'array', minItems: 100, items: { type: 'boolean' } }
  let now = 0
  let calls = 0
  const clock = t.mock.method(performance, 'now', () => (now += ++calls === 10 ? 600_000 : 0))
  assert.deepEqual(sample(schema, 'yes'), Array(100).fill(true))
  clock.mock.mockImplementation(() => (now += 20))
  assert.throws(() => sample(schema, 'yes'), /too complex/)
})
