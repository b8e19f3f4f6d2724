import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offline } from 'colloquy/engines'
import type { ErrorBody, JsonSchema } from 'colloquy/protocol'
import { startCpuTime } from '../../../../../test/cpu-time.ts'
import { createServer } from '../../app.ts'

/** CPU time of one answer: many times what is needed, and far below that of a search without bounds. */
const mostCpuMs = 4_000

const doubling = Object.fromEntries(
  Array.from({ length: 40 }, (_, index) => {
    const next = { $ref: `#/$defs/d${index + 1}` }
    return [`d${index}`, { anyOf: [next, next] }]
  }),
)
const schemas: Record<string, JsonSchema> = {
  'nested deep': nested(1_500),
  'of a circle of $ref': objectOf({ x: { $ref: '#/$defs/a' } }, { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } }),
  'that is its own part': objectOf({ x: { $ref: '#' } }),
  'with a field __proto__': objectOf(
    JSON.parse('{"__proto__":{"type":"string"},"constructor":{"type":"string"}}') as never,
  ),
  'with 300,000 values': objectOf({ x: { enum: Array.from({ length: 300_000 }, (_, index) => `v${index}`) } }),
  'with 50,000 fields': objectOf(
    Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`p${index}`, { type: 'string' }])),
  ),
  'with a pattern that backtracks': objectOf({ x: { type: 'string', pattern: '^(a+)+$' } }),
  'with a pattern that is no expression': objectOf({ x: { type: 'string', pattern: '(' } }),
  'with a pattern of open classes': objectOf({ x: { type: 'string', pattern: '['.repeat(100_000) } }),
  'with a pattern of open classes and escapes': objectOf({ x: { type: 'string', pattern: `${'['.repeat(1e5)}\\` } }),
  'with 2 ** 40 alternatives': objectOf({ x: { $ref: '#/$defs/d0' } }, { ...doubling, d40: { type: 'string' } }),
  'for a list of a billion': objectOf({
    x: { type: 'array', minItems: 1e9, items: { type: 'string', minLength: 1e9 } },
  }),
}

function objectOf(properties: Record<string, unknown>, $defs?: Record<string, unknown>): JsonSchema {
  const required = Object.keys(properties)
  return { type: 'object', properties, required, additionalProperties: false, ...($defs && { $defs }) }
}

function nested(depth: number): JsonSchema {
  let schema: JsonSchema = { type: 'string' }
  for (let level = 0; level < depth; level++) schema = objectOf({ a: schema })
  return schema
}

for (const [name, schema] of Object.entries(schemas))
  test(`a schema ${name} is answered or refused at once`, async () => {
    const server = createServer({ engine: offline() })
    const ask = { model: 'claude-sonnet-4-6', max_tokens: 100, messages: [{ role: 'user', content: 'Use the tool t' }] }
    const tool = { name: 't', input_schema: schema }
    const tool_choice = { type: 'tool', name: 't' }
    for (const body of [
      { ...ask, tools: [tool], tool_choice },
      { ...ask, tools: [{ ...tool, strict: true }], tool_choice },
      { ...ask, output_config: { format: { type: 'json_schema', schema } } },
    ]) {
      const cpuTime = startCpuTime()
      const response = await server.fetch('http://test/v1/messages', {
        method: 'POST',
        headers: { 'anthropic-version': '2023-06-01' },
        body: JSON.stringify(body),
      })
      const text = await response.text()
      const cpuMs = cpuTime()
      assert.ok(cpuMs < mostCpuMs, `took ${cpuMs} ms of CPU`)
      assert.ok(text.length < 50_000, `${text.length} characters were answered`)
      if (response.status === 200) continue
      assert.equal(response.status, 400, text)
      assert.equal((JSON.parse(text) as ErrorBody).error.type, 'invalid_request_error')
    }
  })
