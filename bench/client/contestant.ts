/** A message in the form that every contestant accepts. */
export interface HistoryMessage {
  role: 'user' | 'assistant'
  content: string
}

/** The tasks of a contestant. Results are compared, so that no contestant is fast because it does less. */
export interface Contestant {
  /** Loops over a stream and returns the number of characters of its text. */
  iterate(): Promise<number>
  /** Reads a stream, assembles the message, and returns the number of characters of its text. */
  finalMessage(): Promise<number>
  /**
   * Listens to the pieces of a tool's input; returns the number of their characters and of the rows of the whole input.
   */
  toolInput(): Promise<ToolInputResult>
  /** Loops over a stream and returns the number of characters of its tool input. */
  iterateToolInput(): Promise<number>
  /** Requests a reply without streaming, and returns the number of characters of its text. */
  create(messages: readonly HistoryMessage[]): Promise<number>
  /** Opens a stream, reads three deltas, and returns the object that keeps it open. */
  open(messages: readonly HistoryMessage[]): Promise<object>
}

export interface ToolInputResult {
  characters: number
  rows: number
}

/** The export of each file in `contestants/`. `library` is the package's exports; `url` is the base URL. */
export type Connect = (library: never, url: string) => Contestant

export const model = 'claude-sonnet-4-6'
export const maxTokens = 4096
export const question: readonly HistoryMessage[] = [{ role: 'user', content: 'Tell me a story.' }]
export const saveTool = {
  name: 'save',
  description: 'Saves rows',
  input_schema: { type: 'object' as const, properties: { rows: { type: 'array' } } },
}
