import Anthropic from '@anthropic-ai/sdk'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import * as z from 'zod'

const Recipe = z.object({
  title: z.string().describe('What it is called'),
  minutes: z.number().int().min(1),
  steps: z.array(z.string()).min(1),
  level: z.enum(['easy', 'hard']),
})

const client = new Anthropic()
const params = {
  model: 'claude-sonnet-4-6',
  max_tokens: 1000,
  messages: [{ role: 'user' as const, content: 'A recipe for bread.' }],
  output_config: { format: zodOutputFormat(Recipe) },
}

const message = await client.messages.parse(params)
const recipe: z.infer<typeof Recipe> | null = message.parsed_output
console.log(typeof recipe?.title, Array.isArray(recipe?.steps), recipe?.level)

const streamed = await client.messages.stream(params).finalMessage()
console.log(JSON.stringify(streamed.parsed_output) === JSON.stringify(recipe))
console.log(params.output_config.format.type, Object.keys(params.output_config.format.schema).includes('properties'))
