// Compiled for every kind of module and module resolution.
import Anthropic from 'colloquy'
import { APIError, type Message } from 'colloquy'
import { costOf, type Usage } from 'colloquy/protocol'
import { type RunnableTool, tool } from 'colloquy/tools'

const client = new Anthropic({ apiKey: 'any' })

export async function textOf(): Promise<string> {
  const message: Message = await client.messages.create({ model: 'claude-sonnet-4-6', max_tokens: 1, messages: [] })
  const first: Anthropic.ContentBlock | undefined = message.content[0]
  return first?.type === 'text' ? first.text : ''
}

export function isOfTheApi(error: unknown): error is APIError {
  return error instanceof APIError || error instanceof Anthropic.RateLimitError
}

export class Client extends Anthropic {}

export const add: RunnableTool<{ a: number; b: number }> = tool({
  name: 'add',
  description: 'Adds two numbers.',
  inputSchema: {
    type: 'object',
    properties: { a: { type: 'number' }, b: { type: 'number' } },
    required: ['a', 'b'],
  },
  run: ({ a, b }) => a + b,
})

export const costOfUsage = (usage: Usage): bigint | undefined => costOf(usage, 'claude-sonnet-4-6')?.picoUsd

// Declared in files beside the class, which add to its namespace.
export const navigate: Anthropic.BrowserNavigateInput = { url: 'https://example.com' }
export const overloaded = (error: Anthropic.OverloadedError): number | undefined => error.status
export const page: Anthropic.Beta.Files.FileListParams = { limit: 1 }
