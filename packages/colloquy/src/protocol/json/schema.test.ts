import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import * as z from 'zod'
import { AnthropicError } from '../types/error.ts'
import { describeMismatch } from './json-schema.ts'
import type { Message } from '../types/message.ts'
import {
  type FromSchema,
  type StandardSchema,
  jsonSchemaOutputFormat,
  standardSchemaOutputFormat,
  toJsonSchema,
  transformJsonSchema,
} from './schema.ts'
import { parseMessage } from './parsed-message.ts'

const trip = {
  type: 'object',
  properties: {
    city: { type: 'string', minLength: 2 },
    days: { type: 'integer', minimum: 1, description: 'How long' },
    mode: { enum: ['train', 'plane'] },
    stops: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 3 },
  },
  required: ['city', 'days'],
} as const

// A schema by hand, as a library without `~standard.jsonSchema` has them. Callable, as arktype's are.
function wholeNumber(): StandardSchema<unknown, number> {
  const standard: StandardSchema<unknown, number>['~standard'] = {
    version: 1,
    vendor: 'hand',
    validate: (value) =>
      Number.isInteger(value)
        ? { value: value as number }
        : { issues: [{ message: 'no whole number', path: [{ key: 'n' }] }] },
  }
  return Object.assign(() => {}, { '~standard': standard })
}

function reply(...texts: string[]): Message {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-5-5',
    content: texts.map((text) => ({ type: 'text', text, citations: null })),
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 },
  }
}

test('transformJsonSchema() closes objects and moves unsupported keywords to the description', () => {
  assert.deepEqual(transformJsonSchema(trip), {
    type: 'object',
    properties: {
      city: { type: 'string', description: '{minLength: 2}' },
      days: { type: 'integer', description: 'How long\n\n{minimum: 1}' },
      mode: { enum: ['train', 'plane'] },
      stops: { type: 'array', items: { type: 'string' }, minItems: 1, description: '{maxItems: 3}' },
    },
    additionalProperties: false,
    required: ['city', 'days'],
  })
})

test('transformJsonSchema() keeps the formats that structured output supports', () => {
  assert.deepEqual(transformJsonSchema({ type: 'string', format: 'email' }), { type: 'string', format: 'email' })
  assert.deepEqual(transformJsonSchema({ type: 'string', format: 'iban' }), {
    type: 'string',
    description: '{format: "iban"}',
  })
})

test('transformJsonSchema() turns oneOf into anyOf, also inside definitions', () => {
  const point = { type: 'object', properties: { x: { type: 'number' } }, additionalProperties: true }
  const closed = { ...point, additionalProperties: false }
  assert.deepEqual(transformJsonSchema({ oneOf: [{ $ref: '#/$defs/point' }, { type: 'null' }], $defs: { point } }), {
    $defs: { point: closed },
    anyOf: [{ $ref: '#/$defs/point' }, { type: 'null' }],
  })
  assert.deepEqual(transformJsonSchema({ $ref: '#/definitions/point', definitions: { point }, description: 'gone' }), {
    definitions: { point: closed },
    $ref: '#/definitions/point',
  })
})

test('transformJsonSchema() does not change its argument, and is idempotent', () => {
  const before = structuredClone(trip)
  const once = transformJsonSchema(trip)
  assert.deepEqual(trip, before)
  assert.deepEqual(transformJsonSchema(once), once)
})

test('transformJsonSchema() names the part without a type', () => {
  assert.throws(() => transformJsonSchema({ type: 'object', properties: { a: { type: 'array', items: {} } } }), {
    name: 'AnthropicError',
    message: /no type, enum, const, anyOf, oneOf, allOf or \$ref at properties\.a\.items$/,
  })
})

test('jsonSchemaOutputFormat() sends the rewritten schema, or the given one without transform', () => {
  assert.deepEqual(jsonSchemaOutputFormat(trip).schema, transformJsonSchema(trip))
  assert.deepEqual(jsonSchemaOutputFormat(trip, { transform: false }).schema, trip)
  assert.equal(
    JSON.stringify(jsonSchemaOutputFormat(trip, { transform: false })),
    JSON.stringify({ type: 'json_schema', schema: trip }),
  )
})

test('jsonSchemaOutputFormat() requires an object schema', () => {
  assert.throws(
    () => jsonSchemaOutputFormat({ type: 'array' } as never),
    /^AnthropicError: JSON schema must be an object, but got array$/,
  )
})

test('an output format parses the value, and says what is wrong with an invalid text', () => {
  const format = jsonSchemaOutputFormat(trip)
  assert.deepEqual(format.parse('{"city":"Kyoto","days":3}'), { city: 'Kyoto', days: 3 })
  assert.throws(() => format.parse('{"city":"Kyo'), {
    name: 'AnthropicError',
    message: /^Failed to parse structured output as JSON: /,
  })
  assert.throws(() => format.parse('{"city":"Kyoto","days":0}'), {
    name: 'AnthropicError',
    message: /: Schema validation failed with 1 issue\(s\):\n {2}- days: must be at least 1: found 0$/,
  })
})

test('an output format parses every value that its schema allows', () => {
  const values = fc.record({ city: fc.string({ minLength: 2 }), days: fc.integer({ min: 1 }) })
  const format = jsonSchemaOutputFormat(trip)
  fc.assert(fc.property(values, (value) => assert.deepEqual(format.parse(JSON.stringify(value)), { ...value })))
})

test('standardSchemaOutputFormat() checks and transforms by a zod schema', () => {
  const schema = z.object({ city: z.string().min(2), when: z.string().transform((text) => text.length) })
  const format = standardSchemaOutputFormat(schema)
  assert.deepEqual(format.schema, {
    type: 'object',
    properties: { city: { type: 'string', description: '{minLength: 2}' }, when: { type: 'string' } },
    additionalProperties: false,
    required: ['city', 'when'],
  })
  const parsed: { city: string; when: number } = format.parse('{"city":"Kyoto","when":"may"}')
  assert.deepEqual(parsed, { city: 'Kyoto', when: 3 })
  assert.throws(
    () => format.parse('{"city":"K","when":"may"}'),
    /Schema validation failed with \d issue\(s\):\n {2}- city: /,
  )
})

test('a schema of a library without a converter needs `jsonSchema`', () => {
  const schema = wholeNumber()
  assert.throws(() => standardSchemaOutputFormat(schema), {
    name: 'AnthropicError',
    message: /^Could not derive a JSON Schema from this hand schema, .*\. Pass the `jsonSchema` option/,
  })
  assert.deepEqual(standardSchemaOutputFormat(schema, { jsonSchema: { type: 'integer' } }).schema, { type: 'integer' })
  assert.deepEqual(
    toJsonSchema(schema, () => ({ type: 'integer' })),
    { type: 'integer' },
  )
  const zodSchema = z.object({ a: z.string() })
  assert.deepEqual(
    standardSchemaOutputFormat(zodSchema, { jsonSchema: z.toJSONSchema }).schema,
    standardSchemaOutputFormat(zodSchema).schema,
  )
  assert.throws(
    () => standardSchemaOutputFormat(schema, { jsonSchema: { type: 'integer' } }).parse('1.5'),
    /\n {2}- n: no whole number$/,
  )
})

test('describeMismatch() lists five reasons and counts the others', () => {
  const issues = Array.from({ length: 7 }, (_, index) => ({ path: ['items', index], message: 'is odd' }))
  const lines = describeMismatch(issues).split('\n')
  assert.equal(lines[0], 'Schema validation failed with 7 issue(s):')
  assert.deepEqual(lines.slice(5), ['  - items.4: is odd', '  ... and 2 more issue(s)'])
  assert.equal(
    describeMismatch([{ path: [], message: 'is odd' }]),
    'Schema validation failed with 1 issue(s):\n  - is odd',
  )
})

test('standardSchemaOutputFormat() refuses a schema that validates asynchronously', () => {
  const schema = z.object({ a: z.string().refine(async () => false) })
  assert.throws(
    () => standardSchemaOutputFormat(schema).parse('{"a":""}'),
    /^AnthropicError: Async validation is not supported .* zod schema/,
  )
})

test('parseMessage() adds the value to the message and to each text block, hidden from JSON', () => {
  const params = { model: 'm', max_tokens: 1, messages: [], output_config: { format: jsonSchemaOutputFormat(trip) } }
  const message = reply('{"city":"Kyoto","days":3}', '{"city":"Nara","days":1}')
  const parsed = parseMessage(message, params)
  const city: string | undefined = parsed.parsed_output?.city
  assert.equal(city, 'Kyoto')
  const [, second] = parsed.content
  assert.deepEqual(second?.type === 'text' && 'parsed_output' in second && second.parsed_output, {
    city: 'Nara',
    days: 1,
  })
  assert.equal(JSON.stringify(parsed.content), JSON.stringify(message.content))
})

test('parseMessage() gives null without format or text, and JSON for a format without parse()', () => {
  const params = { model: 'm', max_tokens: 1, messages: [] }
  assert.equal(parseMessage(reply('hello'), params).parsed_output, null)
  const format = { type: 'json_schema' as const, schema: trip as object as { [key: string]: unknown } }
  assert.deepEqual(parseMessage(reply('{"a":1}'), { ...params, output_config: { format } }).parsed_output, { a: 1 })
  assert.equal(parseMessage(reply(), { ...params, output_config: { format } }).parsed_output, null)
  assert.throws(() => parseMessage(reply('no'), { ...params, output_config: { format } }), AnthropicError)
})

test('FromSchema derives the type of a literal schema', () => {
  const schema = {
    type: 'object',
    properties: {
      ...trip.properties,
      size: { type: ['number', 'null'] },
      kind: { const: 'x' },
      any: { anyOf: [{ type: 'boolean' }, { type: 'array', items: { type: 'integer' } }] },
    },
    required: ['city', 'size', 'kind', 'any'],
  } as const
  const value: FromSchema<typeof schema> = { city: 'Kyoto', size: null, kind: 'x', any: [1], mode: 'train' }
  // @ts-expect-error - a property that is required
  const missing: FromSchema<typeof schema> = { size: 1, kind: 'x', any: true }
  // @ts-expect-error - a value that the enum does not list
  const other: FromSchema<typeof schema> = { city: '', size: 1, kind: 'x', any: true, mode: 'car' }
  assert.ok(value && missing && other)
})
