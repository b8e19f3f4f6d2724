import Anthropic from '@anthropic-ai/sdk'
import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema'

const client = new Anthropic()
const message = await client.messages.parse({
  model: 'claude-sonnet-4-6',
  max_tokens: 200,
  messages: [{ role: 'user', content: 'Where is the Eiffel tower?' }],
  output_config: {
    format: jsonSchemaOutputFormat({
      type: 'object',
      properties: { city: { type: 'string', minLength: 1 }, year: { type: 'integer' } },
      required: ['city', 'year'],
      additionalProperties: false,
    } as const),
  },
})
const city: string | undefined = message.parsed_output?.city
const year: number | undefined = message.parsed_output?.year
console.log(typeof city, typeof year)
