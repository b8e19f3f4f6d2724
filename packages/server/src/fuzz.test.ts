import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offline } from 'colloquy/engines'
import fc from 'fast-check'
import { startCpuTime } from '../../../test/cpu-time.ts'
import { createServer } from './app.ts'

// COLLOQUY_FUZZ=100000 sends that many requests, COLLOQUY_SEED=n others than usual.
const { COLLOQUY_FUZZ: numRuns = 1_500, COLLOQUY_SEED: seed = 1 } = process.env
// On a busy machine, so many requests take longer than other tests may.
const timeout = 1_200_000

const engine = offline()
const servers = [false, true].map((lenient) => createServer({ engine, lenient }))

type Json = unknown

/** Values that are odd in many places of a request. */
const junk = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e308,
    2 ** 53,
    '',
    ' ',
    'x'.repeat(5_000),
    '\ud83d',
    '__proto__',
    'constructor',
    'toString',
    [],
    {},
    [[]],
    { toString: 1, valueOf: 1 },
    { type: { toString: 1 } },
    { type: 'text' },
    { $ref: '#' },
    { $ref: '#/%' },
    deep(150),
    deep(1_500),
    '(((((((((((1+1',
    '-'.repeat(3_000),
    'continue',
    '<system-reminder>'.repeat(500),
    '^(a+)+$',
    '[',
    'a{1000000000}',
  ),
  fc.jsonValue({ maxDepth: 2 }),
)

const keywords = [
  'type',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'prefixItems',
  'enum',
  'const',
  'anyOf',
  'oneOf',
  'allOf',
  'not',
  'pattern',
  'format',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'multipleOf',
  'minProperties',
  'patternProperties',
  '$ref',
  '$defs',
]

/** A JSON Schema, valid or not. */
const { schema } = fc.letrec<{ schema: Json }>((tie) => ({
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ type: fc.constantFrom('string', 'number', 'integer', 'boolean', 'null', 'array', 'object') }),
    fc.record({
      type: fc.constant('object'),
      properties: fc.dictionary(fc.string({ maxLength: 5 }), tie('schema'), { maxKeys: 3 }),
      additionalProperties: fc.constantFrom<Json>(false, true, {}),
    }),
    fc.record({ type: fc.constant('array'), items: tie('schema'), minItems: fc.oneof(fc.nat(1), junk) }),
    fc.record({ anyOf: fc.array(tie('schema'), { maxLength: 3 }) }),
    fc.record({
      type: fc.constant('string'),
      pattern: fc.constantFrom('^a+$', '(a|b)*', '[^]', '\\d{3}', '(?=a)', '['),
    }),
    fc.dictionary(fc.constantFrom(...keywords), fc.oneof(junk, tie('schema')), { maxKeys: 4 }),
  ),
}))

const user = (content: Json): Json => ({ role: 'user', content })
const bodies: Json[] = [
  { messages: [user('What is 2 + 2?')] },
  { messages: [user('hi'), { role: 'assistant', content: 'Hello' }, user([{ type: 'text', text: 'and 3?' }])] },
  {
    messages: [
      user('Weather in Paris?'),
      { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'weather', input: { city: 'Paris' } }] },
      user([{ type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: '20' }], is_error: false }]),
    ],
    tools: [{ name: 'weather', description: 'Tells the weather', input_schema: { type: 'object', properties: {} } }],
    tool_choice: { type: 'auto' },
  },
  {
    system: [{ type: 'text', text: 'Answer in one word.', cache_control: { type: 'ephemeral' } }],
    messages: [user([{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } }])],
    metadata: { user_id: 'u' },
    stop_sequences: ['END'],
  },
  {
    messages: [
      user([{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'abc' }, title: 'A' }]),
    ],
    thinking: { type: 'enabled', budget_tokens: 1024 },
    max_tokens: 2000,
  },
  {
    messages: [
      user('search'),
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
          { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} },
          { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
          { type: 'text', text: 'done', citations: [] },
        ],
      },
      user('more'),
    ],
    context_management: { edits: [{ type: 'compact_20260112', trigger: { type: 'input_tokens', value: 1 } }] },
  },
]

/** Changes a value inside the body: where, and to which value. */
interface Change {
  path: number[]
  value: Json
  kind: 'replace' | 'remove' | 'add'
}

const change = fc.record<Change>({
  path: fc.array(fc.nat(20), { minLength: 2, maxLength: 7 }),
  value: fc.oneof(junk, schema),
  kind: fc.constantFrom('replace', 'replace', 'remove', 'add'),
})

function mostly(usual: string[], rare: string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { arbitrary: fc.constantFrom(...usual), weight: 12 },
    { arbitrary: fc.constantFrom(...rare), weight: 1 },
  )
}

const request = fc.record({
  body: fc.constantFrom(...bodies),
  changes: fc.array(change, { maxLength: 3 }),
  schemas: fc.option(fc.record({ output: fc.option(schema), tool: fc.option(schema) }), { freq: 2 }),
  text: fc.oneof(
    { arbitrary: fc.constant(null), weight: 15 },
    {
      arbitrary: fc.tuple(fc.nat(), fc.constantFrom('', ',', '"', '}', '\\', '\u0000', 'NaN')),
      weight: 1,
    },
  ),
  path: mostly(
    ['/v1/messages', '/v1/messages', '/v1/messages/count_tokens'],
    ['/v1/models?limit=x', '/v1/models/%ff', '/v1//messages', '/%'],
  ),
  method: mostly(['POST'], ['GET', 'PUT', 'DELETE', 'OPTIONS']),
  version: mostly(['2023-06-01', '2026-10-21'], ['', 'x']),
  betas: fc.constantFrom('', 'context-management-2025-06-27', ',,x'),
  encoding: mostly(['identity'], ['gzip', 'br']),
  model: mostly(['claude-sonnet-4-6', 'claude-opus-5', 'claude-haiku-4-5'], ['claude-3-opus-20240229', 'x']),
  stream: fc.boolean(),
  server: fc.constantFrom(...servers),
})

test('a generated request costs at most 2 s of CPU, never with a 5xx, and with a request id', { timeout }, async () => {
  const check = fc.asyncProperty(request, async ({ server, path, method, version, betas, encoding, ...parts }) => {
    const cpuTime = startCpuTime()
    const response = await server.fetch(`http://test${path}`, {
      method,
      headers: { 'anthropic-version': version, 'anthropic-beta': betas, 'content-encoding': encoding },
      ...(method === 'GET' ? {} : { body: textOf(parts) }),
    })
    const text = await response.text()
    const cpuMs = cpuTime()
    assert.ok(cpuMs < 2_000, `took ${cpuMs} ms of CPU`)
    checkAnswer(response, text)
  })
  await fc.assert(check, { numRuns: Number(numRuns), seed: Number(seed) })
})

interface Parts {
  body: Json
  changes: Change[]
  schemas: { output: Json; tool: Json } | null
  text: [number, string] | null
  model: Json
  stream: boolean
}

function textOf({ body, changes, schemas, text, model, stream }: Parts): string {
  const whole = {
    model,
    max_tokens: 100,
    stream,
    ...structuredClone(body as object),
    ...(schemas?.output != null && { output_config: { format: { type: 'json_schema', schema: schemas.output } } }),
    ...(schemas?.tool != null && {
      tools: [{ name: 'search', input_schema: { type: 'object', ...schemas.tool } }],
    }),
  }
  for (const each of changes) apply(whole, each)
  const json = JSON.stringify(whole)
  if (text === null) return json
  const at = text[0] % json.length
  return json.slice(0, at) + text[1] + json.slice(at + 1)
}

function apply(body: object, { path, value: given, kind }: Change): void {
  // Copied, because a later change may be inside it.
  const value = structuredClone(given)
  let target = body as Record<string, Json>
  for (const [depth, pick] of path.entries()) {
    const keys = Object.keys(target)
    if (keys.length === 0) return
    // Mostly inside the messages: a wrong field at the top hides what is wrong below.
    const key = depth === 0 && pick % 5 > 0 && 'messages' in target ? 'messages' : keys[pick % keys.length]!
    const inner = target[key]
    if (depth < path.length - 1 && typeof inner === 'object' && inner !== null) {
      target = inner as Record<string, Json>
      continue
    }
    if (kind === 'remove') delete target[key]
    else if (kind === 'replace') target[key] = value
    else if (Array.isArray(target)) target.push(value)
    else target[`${key}_more`] = value
    return
  }
}

function checkAnswer(response: Response, text: string): void {
  assert.ok(response.status < 500, `${response.status} ${text}`)
  const id = response.headers.get('request-id')
  assert.match(id ?? '', /^req_/)
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    assert.ok(!text.includes('event: error'), text.slice(-500))
    return
  }
  if (response.status < 400) return
  const body = JSON.parse(text) as { type: string; error: { type: string; message: string }; request_id: string }
  assert.deepEqual(
    { ...body, error: { type: typeof body.error.type, message: typeof body.error.message } },
    { type: 'error', error: { type: 'string', message: 'string' }, request_id: id },
  )
}

function deep(levels: number): Json {
  let value: Json = 1
  for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { a: value }
  return value
}
