import { type Contestant, maxTokens, model, question, saveTool } from '../contestant.ts'

/** The parts of `ai` and `@ai-sdk/anthropic` in use. Both are installed on demand, so their types are not available. */
interface Library {
  createAnthropic(options: object): (model: string) => object
  streamText(options: object): {
    fullStream: AsyncIterable<Part>
    textStream: AsyncIterable<string>
    text: Promise<string>
  }
  generateText(options: object): Promise<{ text: string }>
  tool(options: object): object
  jsonSchema(schema: object): object
}

interface Part {
  type: string
  /** Present in a `tool-input-delta`. */
  delta?: string
  /** Present in a `tool-call`. */
  input?: unknown
}

export function connect(library: Library, url: string): Contestant {
  const { streamText, generateText } = library
  const asked = {
    model: library.createAnthropic({ apiKey: 'key', baseURL: `${url}/v1` })(model),
    maxOutputTokens: maxTokens,
  }
  const save = library.tool({
    description: saveTool.description,
    inputSchema: library.jsonSchema(saveTool.input_schema),
  })
  return {
    async iterate() {
      let characters = 0
      for await (const text of streamText({ ...asked, messages: question }).textStream) characters += text.length
      return characters
    },
    async finalMessage() {
      return (await streamText({ ...asked, messages: question }).text).length
    },
    async toolInput() {
      let characters = 0
      let input: unknown
      for await (const part of streamText({ ...asked, messages: question, tools: { save } }).fullStream) {
        if (part.type === 'tool-input-delta') characters += part.delta!.length
        if (part.type === 'tool-call') input = part.input
      }
      return { characters, rows: (input as { rows: unknown[] }).rows.length }
    },
    async iterateToolInput() {
      let characters = 0
      for await (const part of streamText({ ...asked, messages: question, tools: { save } }).fullStream) {
        if (part.type === 'tool-input-delta') characters += part.delta!.length
      }
      return characters
    },
    async create(messages) {
      return (await generateText({ ...asked, messages })).text.length
    },
    async open(messages) {
      const iterator = streamText({ ...asked, messages }).textStream[Symbol.asyncIterator]()
      for (let deltas = 0; deltas < 3; deltas++) await iterator.next()
      return iterator
    },
  }
}
