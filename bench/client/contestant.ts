/** A message as every contestant takes it. */
export interface HistoryMessage {
  role: 'user' | 'assistant'
  content: string
}

/** What a contestant can do. What it returns is compared with the others', so that nobody is fast by doing less. */
export interface Contestant {
  /** Loops over a stream; returns its characters of text. */
  iterate(): Promise<number>
  /** Reads a stream and returns the characters of the whole message's text, which it must have put together. */
  finalMessage(): Promise<number>
  /** Listens to the pieces of a tool's input as they come; returns their characters and the rows of the whole input. */
  toolInput(): Promise<ToolInputResult>
  /** Asks for a whole reply; returns its characters of text. */
  create(messages: readonly HistoryMessage[]): Promise<number>
  /** Opens a stream, reads three deltas, and returns what has to be kept so that it stays open. */
  open(messages: readonly HistoryMessage[]): Promise<object>
}

export interface ToolInputResult {
  characters: number
  rows: number
}

/** What each file of `contestants/` exports: `library` is what its package exports, `url` what `/v1/messages` follows. */
export type Connect = (library: never, url: string) => Contestant

export const model = 'claude-sonnet-4-6'
export const maxTokens = 4096
export const question: readonly HistoryMessage[] = [{ role: 'user', content: 'Tell me a story.' }]
export const saveTool = {
  name: 'save',
  description: 'Saves rows',
  input_schema: { type: 'object' as const, properties: { rows: { type: 'array' } } },
}
