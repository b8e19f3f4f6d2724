import type Anthropic from '@anthropic-ai/sdk'
import { type Contestant, maxTokens, model, question, saveTool } from '../contestant.ts'

/** The official client, and ours: the same program with another import. */
export function connect(library: { default: typeof Anthropic }, url: string): Contestant {
  const client = new library.default({ apiKey: 'key', baseURL: url })
  const asked = { model, max_tokens: maxTokens }
  return {
    async iterate() {
      let characters = 0
      for await (const event of await client.messages.create({ ...asked, messages: [...question], stream: true })) {
        if (event.type === 'content_block_delta' && event.delta.type === 'text_delta')
          characters += event.delta.text.length
      }
      return characters
    },
    async finalMessage() {
      const { content } = await client.messages.stream({ ...asked, messages: [...question] }).finalMessage()
      return textLength(content)
    },
    async toolInput() {
      let characters = 0
      const stream = client.messages.stream({ ...asked, messages: [...question], tools: [saveTool] })
      stream.on('inputJson', (piece) => (characters += piece.length))
      const { content } = await stream.finalMessage()
      const input = content.flatMap((block) => (block.type === 'tool_use' ? [block.input] : []))[0]
      return { characters, rows: (input as { rows: unknown[] }).rows.length }
    },
    async iterateToolInput() {
      let characters = 0
      const params = { ...asked, messages: [...question], tools: [saveTool] }
      for await (const event of await client.messages.create({ ...params, stream: true })) {
        if (event.type === 'content_block_delta' && event.delta.type === 'input_json_delta')
          characters += event.delta.partial_json.length
      }
      return characters
    },
    async create(messages) {
      // The same list each time: a client may reuse earlier work only if that needs nothing from its users.
      const { content } = await client.messages.create({ ...asked, messages: messages as Anthropic.MessageParam[] })
      return textLength(content)
    },
    async open(messages) {
      const params = { ...asked, messages: messages as Anthropic.MessageParam[], stream: true } as const
      const iterator = (await client.messages.create(params))[Symbol.asyncIterator]()
      for (let events = 0; events < 5; events++) await iterator.next()
      return iterator
    },
  }
}

function textLength(content: readonly Anthropic.ContentBlock[]): number {
  return content.reduce((sum, block) => sum + (block.type === 'text' ? block.text.length : 0), 0)
}
