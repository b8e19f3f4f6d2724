import assert from 'node:assert/strict'
import test from 'node:test'
import * as z from 'zod'
import type { StandardSchema, Tool, ToolUnion } from '../protocol/index.ts'
import { type RunnableTool, type ToolContext, definitionOf, isRunnable } from './runnable.ts'
import { tool } from './tool.ts'

const place = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } as const
const context = {} as ToolContext
const run = () => ''

test('tool() serializes to the definition alone', () => {
  const weather = tool({
    name: 'get_weather',
    description: 'Tells the weather',
    inputSchema: place,
    strict: true,
    timeoutMs: 500,
    repeatable: true,
    run: ({ city }) => `sun in ${city}`,
  })
  const definition = {
    strict: true,
    type: 'custom',
    name: 'get_weather',
    description: 'Tells the weather',
    input_schema: place,
  }
  assert.deepEqual(definitionOf(weather), definition)
  // So it may stand in the `tools` of any request, a changed copy too.
  assert.deepEqual(JSON.parse(JSON.stringify({ tools: [weather] })), { tools: [definition] })
  const marked = { ...weather, cache_control: { type: 'ephemeral' } as const }
  assert.deepEqual(JSON.parse(JSON.stringify(marked)), { ...definition, cache_control: { type: 'ephemeral' } })
  assert.equal(weather.timeoutMs, 500)
})

test('tool() accepts inputSchema or input_schema, each as JSON Schema or Standard Schema', async () => {
  const schema = z.object({ city: z.string().transform((text) => text.length) })
  const made = [
    tool({ name: 'a', inputSchema: schema, run: ({ city }) => city + 1 }),
    tool({ name: 'a', input_schema: schema, run: ({ city }) => city + 1 }),
    tool({
      name: 'a',
      inputSchema: schema,
      jsonSchema: (of: typeof schema) => z.toJSONSchema(of, { io: 'input' }),
      run: ({ city }) => city + 1,
    }),
  ]
  for (const each of made) {
    assert.deepEqual(each.input_schema.properties, { city: { type: 'string' } })
    assert.equal(each.run(each.parse({ city: 'Nara' }), context), 5)
    assert.throws(() => each.parse({ city: 1 }), { name: 'AnthropicError' })
  }
  const byHand = tool({ name: 'a', input_schema: place, run: ({ city }) => city.toUpperCase() })
  assert.equal(byHand.run({ city: 'Nara' }, context), 'NARA')
})

test('tool() makes parse() check the input and say what is wrong', async () => {
  const byJson = tool({ name: 'a', inputSchema: place, run: () => '' })
  assert.throws(() => byJson.parse({ city: 1 }), {
    name: 'AnthropicError',
    message: 'Schema validation failed with 1 issue(s):\n  - city: must be a string: found 1',
  })
  const byZod = tool({
    name: 'a',
    inputSchema: z.object({ city: z.string().refine(async () => false, 'unknown') }),
    run: () => '',
  })
  await assert.rejects(async () => byZod.parse({ city: 'x' }), {
    message: 'Schema validation failed with 1 issue(s):\n  - city: unknown',
  })
})

test('tool() accepts a schema that is a function, as in arktype', () => {
  const standard: StandardSchema<unknown, { n: number }>['~standard'] = {
    version: 1,
    vendor: 'hand',
    validate: (value) => ({ value: value as { n: number } }),
    jsonSchema: { input: () => ({ type: 'object' }) },
  }
  const schema = Object.assign(() => {}, { '~standard': standard })
  const made = tool({ name: 'a', inputSchema: schema, run: ({ n }) => n.toFixed(1) })
  assert.deepEqual(made.input_schema, { type: 'object' })
})

test('tool() throws for each definition that the API would refuse', () => {
  for (const [fields, message] of [
    [
      { name: 'get weather', inputSchema: place, run },
      "Cannot make the tool 'get weather': its name must be 1 to 128 letters, digits, _ and -",
    ],
    [{ inputSchema: place, run }, 'Cannot make the tool undefined: its name must be 1 to 128 letters, digits, _ and -'],
    [
      { name: 'a', inputSchema: place, run, description: 7 },
      "Cannot make the tool 'a': its description must be text: found 7",
    ],
    [{ name: 'a', inputSchema: place }, "Cannot make the tool 'a': run must be a function: found undefined"],
    [
      { name: 'a', run },
      "Cannot make the tool 'a': inputSchema must be a JSON Schema or a Standard Schema: found undefined",
    ],
    [
      { name: 'a', inputSchema: null, run },
      "Cannot make the tool 'a': inputSchema must be a JSON Schema or a Standard Schema: found null",
    ],
    [
      { name: 'a', inputSchema: place, input_schema: place, run },
      "Cannot make the tool 'a': found both inputSchema and input_schema",
    ],
    [{ name: 'a', inputSchema: { type: 'string' }, run }, 'JSON schema for tool "a" must be an object, but got string'],
    [{ name: 'a', inputSchema: z.string(), run }, 'Zod schema for tool "a" must be an object, but got string'],
  ] as const)
    assert.throws(() => tool(fields as never), { name: 'AnthropicError', message })
})

test('tool() suggests the field that was meant, and accepts other unknown fields', () => {
  for (const [field, meant] of [
    ['inputschema', 'inputSchema'],
    ['parameters', 'inputSchema'],
    ['execute', 'run'],
    ['handler', 'run'],
    ['decription', 'description'],
    ['time_outMs', 'timeoutMs'],
  ] as const)
    assert.throws(() => tool({ name: 'a', [field]: place } as never), {
      message: `Cannot make the tool 'a': found ${field}, was ${meant} meant?`,
    })
  const unknown = { caching_hint: 1 }
  const made = tool({ name: 'a', inputSchema: place, run, ...unknown })
  assert.equal((definitionOf(made) as Tool & { caching_hint?: number }).caching_hint, 1)
})

test('isRunnable() and definitionOf() separate a runnable tool from its definition', () => {
  const definition: ToolUnion = { type: 'web_search_20260318', name: 'web_search' }
  assert.equal(isRunnable(definition), false)
  assert.deepEqual(definitionOf(definition), definition)
  const bash: RunnableTool<{ command: string }> = { type: 'bash_20250124', name: 'bash', run: ({ command }) => command }
  const list: RunnableTool[] = [bash, tool({ name: 'a', inputSchema: place, run: ({ city }) => city })]
  assert.deepEqual(list.map(isRunnable), [true, true])
  assert.deepEqual(definitionOf(bash), { type: 'bash_20250124', name: 'bash' })
})

test('tool() makes a tool whose own fields are those of a definition, and its functions', () => {
  const made = tool({ name: 'a', inputSchema: { type: 'object' }, run: () => '' })
  assert.deepEqual(Object.keys(made), ['type', 'name', 'input_schema', 'run', 'parse'])
  assert.equal(JSON.stringify({ ...made }), JSON.stringify(made))
})
