import { type Contestant, type HistoryMessage, maxTokens, model, question, saveTool } from '../contestant.ts'

/** The parts of `@langchain/anthropic` in use. It is installed on demand, so its types are not available. */
interface Library {
  ChatAnthropic: new (options: object) => Chat
}

interface Chat {
  stream(messages: readonly HistoryMessage[]): Promise<AsyncIterable<Chunk>>
  invoke(messages: readonly HistoryMessage[]): Promise<Chunk>
  bindTools(tools: readonly object[]): Chat
}

interface Chunk {
  text: string
  concat(other: Chunk): Chunk
  tool_calls?: { args: unknown }[]
  tool_call_chunks?: { args?: string }[]
}

export function connect({ ChatAnthropic }: Library, url: string): Contestant {
  const chat = new ChatAnthropic({ model, maxTokens, apiKey: 'key', anthropicApiUrl: url })
  return {
    async iterate() {
      let characters = 0
      for await (const { text } of await chat.stream(question)) characters += text.length
      return characters
    },
    async finalMessage() {
      let whole: Chunk | undefined
      for await (const chunk of await chat.stream(question)) whole = whole ? whole.concat(chunk) : chunk
      return whole!.text.length
    },
    async toolInput() {
      let characters = 0
      let whole: Chunk | undefined
      for await (const chunk of await chat.bindTools([saveTool]).stream(question)) {
        for (const { args = '' } of chunk.tool_call_chunks ?? []) characters += args.length
        whole = whole ? whole.concat(chunk) : chunk
      }
      return { characters, rows: (whole!.tool_calls![0]!.args as { rows: unknown[] }).rows.length }
    },
    async iterateToolInput() {
      let characters = 0
      for await (const chunk of await chat.bindTools([saveTool]).stream(question)) {
        for (const { args = '' } of chunk.tool_call_chunks ?? []) characters += args.length
      }
      return characters
    },
    async create(messages) {
      return (await chat.invoke(messages)).text.length
    },
    async open(messages) {
      const iterator = (await chat.stream(messages))[Symbol.asyncIterator]()
      for (let deltas = 0; deltas < 3; deltas++) await iterator.next()
      return iterator
    },
  }
}
