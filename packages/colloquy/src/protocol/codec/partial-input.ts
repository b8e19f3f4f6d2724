// A symbol, so that the text is never part of the JSON. Enumerable, so that a copy of the block has it too.
const partialText: unique symbol = Symbol('partial input')

/**
 * The text of a tool's input that is not complete JSON, because `max_tokens` or the connection cut it off or because it is
 * malformed. Undefined if `input` is complete.
 *
 * The block's `input` is then the readable part of the text (see `JsonReader`). It is for display only: do not call the tool
 * with it. Copies of the block by spread have the text too, but its JSON and `structuredClone()` do not. To store it, store
 * the text separately and restore it with `setPartialInput`.
 *
 * @example
 * ```ts
 * import { accumulate, partialInput, type MessageStreamEvent } from 'colloquy/protocol'
 * import { emptyMessage } from 'colloquy/engines'
 *
 * const usage = { input_tokens: 5, output_tokens: 5, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
 * const events: MessageStreamEvent[] = [
 *   { type: 'message_start', message: emptyMessage('claude-sonnet-4-6', usage) },
 *   { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 'toolu_1', name: 'write', input: {} } },
 *   { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"text":"One' } },
 *   { type: 'message_stop' }, // max_tokens cut the call off
 * ]
 * const [call] = (await accumulate(events)).content
 * console.log(partialInput(call!)) // {"text":"One
 * ```
 */
export function partialInput(block: object): string | undefined {
  return (block as { [partialText]?: string } | undefined)?.[partialText]
}

/** Marks the block's input as partial, with its text, or as complete, with undefined. */
export function setPartialInput(block: object, text: string | undefined): void {
  const marked = block as { [partialText]?: string }
  if (text !== undefined) marked[partialText] = text
  else if (partialText in marked) delete marked[partialText]
}
