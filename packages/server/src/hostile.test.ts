import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { offline } from 'colloquy/engines'
import type { ErrorBody } from 'colloquy/protocol'
import { startCpuTime } from '../../../test/cpu-time.ts'
import { createServer } from './app.ts'

// Small requests that ask for much work, or hold values that no field expects. Lenient, so that all of them reach the engine.

const paths: string[] = []
const { fetch } = createServer({ engine: offline(), lenient: true, log: ({ path }) => paths.push(path) })

const user = (content: unknown): object => ({ role: 'user', content })
const asks = (content: string): object => ({ messages: [user(content)] })
const format = (schema: unknown): object => ({ output_config: { format: { type: 'json_schema', schema } } })
const nested = (depth: number, wrap: (inner: unknown) => unknown, inner: unknown): unknown =>
  depth === 0 ? inner : wrap(nested(depth - 1, wrap, inner))
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

const tooComplex = 'output_config.format.schema: Schema is too complex for compilation.'
const unsatisfied = 'output_config.format.schema: No value was found that satisfies the schema.'
const regex = 'output_config.format.schema: Unsupported regex feature in pattern field: '
const invalid =
  'output_config.format.schema: JSON schema is invalid. It must match JSON Schema draft 2020-12 (https://json-schema.org/draft/2020-12).'

const refused: Record<string, [schema: unknown, message: string]> = {
  'a pattern with an open bracket': [
    { type: 'string', pattern: '[' },
    `${regex}pattern is not a valid regular expression`,
  ],
  'a pattern with an empty set': [
    { type: 'string', pattern: '[]' },
    `${regex}no character was found for a set of the pattern`,
  ],
  'a pattern of 100,000 brackets': [
    { type: 'string', pattern: '('.repeat(100_000) },
    `${regex}pattern is longer than 1000 characters`,
  ],
  'a pattern with a large quantifier': [
    { type: 'string', pattern: 'a{1000000000}' },
    `${regex}pattern matches only long texts`,
  ],
  'a pattern that backtracks exponentially': [
    { pattern: '^(a+)+$', anyOf: [{ const: `${'a'.repeat(40)}!` }] },
    unsatisfied,
  ],
  'a key pattern that backtracks exponentially': [
    { type: 'object', patternProperties: { '^(a+)+$': false }, required: ['a'.repeat(40)] },
    unsatisfied,
  ],
  'minLength 2e8': [{ type: 'string', minLength: 2e8 }, tooComplex],
  'minItems 1e9': [{ type: 'array', minItems: 1e9, items: { const: 1 } }, tooComplex],
  'minItems 30, six deep': [nested(6, (items) => ({ type: 'array', minItems: 30, items }), { const: 1 }), tooComplex],
  'minProperties 1e9': [{ type: 'object', minProperties: 1e9 }, tooComplex],
  'anyOf of three in three deep': [
    nested(3, (inner) => ({ anyOf: times(3, () => inner) }), { const: 1, type: 'string' }),
    unsatisfied,
  ],
  'oneOf of references to itself': [{ anyOf: [{ const: 1 }], oneOf: times(4, () => ({ $ref: '#' })) }, tooComplex],
  'anyOf of itself': [{ type: 'object', anyOf: [{ $ref: '#' }] }, unsatisfied],
  'properties that need themselves': [
    { type: 'object', required: ['a', 'b'], properties: { a: { $ref: '#' }, b: { $ref: '#' } } },
    unsatisfied,
  ],
  'a reference without a target': [{ $ref: '#/%' }, unsatisfied],
  'an empty enum': [{ enum: [] }, unsatisfied],
  'names that are not strings': [{ type: 'object', required: [{ toString: 1 }] }, invalid],
  'a count that is an object': [{ type: 'array', minItems: { toString: 1, valueOf: 1 } }, invalid],
}

suite('a schema that cannot be satisfied within the limits is refused', () => {
  for (const [name, [schema, message]] of Object.entries(refused)) {
    test(name, async () => {
      const { status, body } = await send(format(schema))
      assert.deepEqual([status, (JSON.parse(body) as ErrorBody).error.message], [400, message])
    })
  }
})

const accepted: Record<string, object> = {
  'a format named like a method': format({ type: 'string', format: 'toString' }),
  'a property named like a method': format({ type: 'object', required: ['toString', '__proto__'] }),
  '60,000 reminders that do not end': asks('<system-reminder>'.repeat(60_000)),
  'an earlier reply of 200,000 digits': {
    messages: [user('a'), { role: 'assistant', content: `${'1'.repeat(200_000)}x1` }, user('and 2 more?')],
  },
  'a question about a noun of 9,000 words': {
    messages: [
      user('my a '.repeat(200_000)),
      { role: 'assistant', content: 'k' },
      user(`what is my ${'a '.repeat(9_000)}`),
    ],
  },
  'a text of 19,000 brackets': asks(`what is ${'('.repeat(19_000)}1+1`),
  'a text of 19,000 signs': asks(`1 + ${'-'.repeat(19_000)}1`),
  'a text of signs only': asks('-'.repeat(20_000)),
  'a text of opening quotes': asks('“'.repeat(20_000)),
  'a text that asks many times': asks('what did i '.repeat(2_000)),
  '50,000 messages that ask to continue': {
    messages: times(50_001, (i) => (i % 2 ? { role: 'assistant', content: 'I am' } : user('continue'))),
  },
  'two messages of 150,000 blocks': {
    messages: [0, 1].map(() => user(times(150_000, () => ({ type: 'text', text: 'a' })))),
  },
  '20,000 messages of the user': { messages: times(20_000, () => user('a')) },
  'a compaction block with an object as its text': {
    messages: [{ role: 'assistant', content: [{ type: 'compaction', content: { toString: 1 } }] }, user('a')],
  },
}

suite('a request that asks for much work is answered', () => {
  for (const [name, change] of Object.entries(accepted)) {
    test(name, async () => {
      const cpuTime = startCpuTime()
      const { status, body } = await send(change)
      const cpuMs = cpuTime()
      assert.equal(status, 200, body.slice(0, 300))
      assert.ok(cpuMs < 10_000, `took ${cpuMs} ms of CPU`)
    })
  }
})

async function send(change: object): Promise<{ status: number; body: string }> {
  const body = { model: 'claude-sonnet-4-6', max_tokens: 1_000, ...asks('x'), ...change }
  const response = await fetch('http://test/v1/messages', { method: 'POST', body: JSON.stringify(body) })
  return { status: response.status, body: await response.text() }
}

test('a line of the log has the beginning of a path that is longer than 1,000 characters', async () => {
  const path = `/v1/models/${'a'.repeat(20_000)}`
  await (await fetch(`http://colloquy.test${path}`)).text()
  assert.equal(paths.at(-1), path.slice(0, 1_000))
})
