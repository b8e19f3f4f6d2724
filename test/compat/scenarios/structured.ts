import * as z from 'zod'
import { hello, json, message, requestId, sse, streamOf, text } from '../fixtures.ts'
import { ownError, type Scenario } from '../scenario.ts'

const answer = z.object({ city: z.string(), degrees: z.number().int() })
const warm = json(message({ content: [{ type: 'text', text: '{"city":"Paris","degrees":18}', citations: null }] }))
const schema = {
  type: 'object',
  properties: { city: { type: 'string', minLength: 1 }, degrees: { type: 'integer' } },
  required: ['city'],
  additionalProperties: false,
} as const

/** Structured output: the requests of the helpers, and the parsed values. */
export const structured: Scenario[] = [
  {
    name: 'parse() with a zod format',
    replies: [warm],
    async run({ client, helpers }) {
      const reply = await client.messages.parse({
        ...hello,
        output_config: { format: helpers.zodOutputFormat(answer) },
      })
      return [reply, reply.parsed_output, Object.keys(reply), JSON.stringify(reply.content)]
    },
    differs: [{ name: 'request-ids', at: 'returned.0._request_id', ours: requestId }],
  },
  {
    name: 'beta parse() with output_format, its earlier name',
    replies: [warm, warm],
    async run({ client, helpers }) {
      const output_format = helpers.jsonSchemaOutputFormat(schema)
      const create = await client.beta.messages.create({ ...hello, output_format })
      return [create.id, (await client.beta.messages.parse({ ...hello, output_format })).parsed_output]
    },
    differs: [
      {
        name: 'idle-betas',
        at: 'requests.1.headers.anthropic-beta',
        official: 'structured-outputs-2025-12-15',
      },
    ],
  },
  {
    name: 'parse() with a format of JSON Schema',
    replies: [warm],
    run: async ({ client, helpers }) =>
      (await client.messages.parse({ ...hello, output_config: { format: helpers.jsonSchemaOutputFormat(schema) } }))
        .parsed_output,
  },
  {
    name: 'parse() with a bare JSON schema',
    replies: [warm],
    run: async ({ client }) =>
      (await client.messages.parse({ ...hello, output_config: { format: { type: 'json_schema', schema } } }))
        .parsed_output,
  },
  {
    name: 'parse() without a format',
    replies: [json(message())],
    run: async ({ client }) => (await client.messages.parse(hello)).parsed_output,
  },
  {
    name: 'parse() keeps the other fields of output_config',
    replies: [warm],
    run: async ({ client, helpers }) =>
      (
        await client.messages.parse({
          ...hello,
          output_config: { effort: 'low', format: helpers.zodOutputFormat(answer) },
        })
      ).parsed_output,
  },
  {
    name: 'parse() of two blocks of text',
    replies: [
      json(
        message({
          content: ['{"city":"A","degrees":1}', '{"city":"B","degrees":2}'].map((text) => ({ type: 'text', text })),
        }),
      ),
    ],
    async run({ client, helpers }) {
      const reply = await client.messages.parse({
        ...hello,
        output_config: { format: helpers.zodOutputFormat(answer) },
      })
      return [reply.parsed_output, reply.content.map((block) => (block as { parsed_output?: unknown }).parsed_output)]
    },
  },
  {
    name: 'parse() of a reply without text',
    replies: [json(message({ content: [] }))],
    run: async ({ client, helpers }) =>
      (await client.messages.parse({ ...hello, output_config: { format: helpers.zodOutputFormat(answer) } }))
        .parsed_output,
  },
  {
    name: 'create() with a zod format does not parse',
    replies: [warm],
    async run({ client, helpers }) {
      const reply = await client.messages.create({
        ...hello,
        output_config: { format: helpers.zodOutputFormat(answer) },
      })
      return 'parsed_output' in reply
    },
  },
  {
    name: 'stream() with a zod format',
    replies: [sse(streamOf(text(0, '{"city":"Pa', 'ris","degrees":18}')))],
    async run({ client, helpers }) {
      const stream = client.messages.stream({ ...hello, output_config: { format: helpers.zodOutputFormat(answer) } })
      return [(await stream.finalMessage()).parsed_output, await stream.finalText()]
    },
  },
  {
    name: 'stream() without a format',
    replies: [sse(streamOf(text(0, 'a')))],
    run: async ({ client }) => (await client.messages.stream(hello).finalMessage()).parsed_output,
    differs: [{ name: 'parsed-output-null', at: 'returned', official: null, ours: '(undefined)' }],
  },
  {
    name: 'parse() of a value that breaks its JSON schema',
    replies: [json(message({ content: [{ type: 'text', text: '{"city":""}' }] }))],
    run: async ({ client, helpers }) => {
      const format = helpers.jsonSchemaOutputFormat(schema)
      return (await client.messages.parse({ ...hello, output_config: { format } })).parsed_output
    },
    differs: [
      { name: 'checked-output', at: 'returned', official: { city: '' } },
      { name: 'checked-output', at: 'threw', ours: { classes: 'AnthropicError < Error' } },
    ],
  },
  {
    name: 'a schema that uses a part twice',
    replies: [warm],
    run: async ({ client, helpers }) => {
      const name = z.string()
      const format = helpers.zodOutputFormat(z.object({ city: name, degrees: z.number(), country: name.optional() }))
      return (await client.messages.create({ ...hello, output_config: { format } })).stop_reason
    },
    differs: [
      {
        name: 'inlined-schemas',
        at: 'requests.0.body.output_config.format.schema.$defs',
        official: { __schema0: { type: 'string' } },
      },
      ...['city', 'country'].map((property) => ({
        name: 'inlined-schemas',
        at: `requests.0.body.output_config.format.schema.properties.${property}`,
        official: { $ref: '#/$defs/__schema0' },
        ours: { type: 'string' },
      })),
    ],
  },
  {
    name: 'a zod schema with a default',
    replies: [json(message({ content: [{ type: 'text', text: '{}' }] }))],
    run: async ({ client, helpers }) => {
      const format = helpers.zodOutputFormat(z.object({ city: z.string().default('Paris') }))
      return (await client.messages.parse({ ...hello, output_config: { format } })).parsed_output
    },
    differs: [
      { name: 'input-schemas', at: 'requests.0.body.output_config.format.schema.required', official: ['city'] },
    ],
  },
  {
    name: 'a zod schema with a transform',
    replies: [json(message({ content: [{ type: 'text', text: '{"city":"Paris"}' }] }))],
    run: async ({ client, helpers }) => {
      const format = helpers.zodOutputFormat(z.object({ city: z.string().transform((city) => city.length) }))
      return (await client.messages.parse({ ...hello, output_config: { format } })).parsed_output
    },
    differs: [
      { name: 'input-schemas', at: 'threw', official: { name: 'Error' } },
      { name: 'input-schemas', at: 'returned', ours: { city: 5 } },
      { name: 'input-schemas', at: 'requests.0', ours: { method: 'POST' } },
    ],
  },
  {
    name: 'a JSON schema with definitions',
    replies: [warm],
    run: async ({ client, helpers }) => {
      const format = helpers.jsonSchemaOutputFormat({
        type: 'object',
        properties: { city: { $ref: '#/definitions/name' } },
        definitions: { name: { type: 'string' } },
      })
      return (await client.messages.create({ ...hello, output_config: { format } })).stop_reason
    },
    differs: [
      {
        name: 'schema-definitions',
        at: 'requests.0.body.output_config.format.schema.definitions',
        ours: { name: { type: 'string' } },
      },
      {
        name: 'schema-definitions',
        at: 'requests.0.body.output_config.format.schema.description',
        official: '{definitions: {"name":{"type":"string"}}}',
      },
    ],
  },
  {
    name: 'parse() of text that is not JSON',
    replies: [json(message())],
    run: ({ client, helpers }) =>
      client.messages.parse({ ...hello, output_config: { format: helpers.zodOutputFormat(answer) } }),
    differs: [ownError('threw')],
  },
  {
    name: 'parse() of text that breaks the schema',
    replies: [json(message({ content: [{ type: 'text', text: '{"city":1}' }] }))],
    run: ({ client, helpers }) =>
      client.messages.parse({ ...hello, output_config: { format: helpers.zodOutputFormat(answer) } }),
    differs: [ownError('threw')],
  },
  {
    name: 'parse() sends a parsed reply back as it was',
    replies: [warm, json(message())],
    async run({ client, helpers }) {
      const { content } = await client.messages.parse({
        ...hello,
        output_config: { format: helpers.zodOutputFormat(answer) },
      })
      await client.messages.create({
        ...hello,
        messages: [...hello.messages, { role: 'assistant', content }, ...hello.messages],
      })
    },
  },
]
