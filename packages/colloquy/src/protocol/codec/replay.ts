import type { ContentBlockDelta, MessageDeltaEvent, MessageStreamEvent } from '../types/event.ts'
import type { CompactionBlock } from '../types/beta/compaction.ts'
import type { ContentBlock, Message, TextBlock, ThinkingBlock, Usage } from '../types/message.ts'
import { partialInput, setPartialInput } from './partial-input.ts'

/** Options of `replay()`. */
export interface ReplayOptions {
  /** Cuts a text, or the JSON of a tool's input, into pieces. Default: 20 characters each. */
  cut?: (text: string) => Iterable<string>
}

/**
 * Yields the events that stream a message, in the order and shapes of the API. The inverse of `accumulate`.
 *
 * An unknown block is sent complete in its start event. A partial tool input is sent as its text, and its block does not end,
 * as when the API cuts it.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { accumulate, replay } from 'colloquy/protocol'
 *
 * const messages = [{ role: 'user' as const, content: 'What is 6 * 7?' }]
 * const message = await new Anthropic().messages.create({ model: 'claude-sonnet-4-6', max_tokens: 100, messages })
 * console.log((await accumulate(replay(message))).id === message.id) // true
 * ```
 */
export function* replay(message: Message, { cut = pieces }: ReplayOptions = {}): Generator<MessageStreamEvent> {
  yield { type: 'message_start', message: beginning(message) }
  for (const [index, block] of message.content.entries()) {
    const { shell, deltas, isCut } = unfold(block, cut)
    yield { type: 'content_block_start', index, content_block: shell }
    for (const delta of deltas) yield { type: 'content_block_delta', index, delta }
    if (!isCut) yield { type: 'content_block_stop', index }
  }
  yield ending(message)
  yield { type: 'message_stop' }
}

/** The message before its first block, with the usage of the prompt only. */
function beginning(message: Message): Message {
  const { usage } = message
  return {
    ...message,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    ...(message.stop_details && { stop_details: null }),
    ...(message.container && { container: null }),
    usage: {
      ...usage,
      output_tokens: Math.min(usage.output_tokens, 1),
      ...(usage.output_tokens_details && { output_tokens_details: null }),
      ...(usage.server_tool_use && { server_tool_use: null }),
      ...(usage.iterations && { iterations: null }),
    },
  }
}

function ending({ stop_reason, stop_sequence, stop_details, container, usage }: Message): MessageDeltaEvent {
  return {
    type: 'message_delta',
    delta: {
      stop_reason,
      stop_sequence,
      ...(stop_details !== undefined && { stop_details }),
      ...(container && { container }),
    },
    usage: totals(usage),
  }
}

function totals(usage: Usage): MessageDeltaEvent['usage'] {
  const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens } = usage
  const { output_tokens_details, server_tool_use, iterations } = usage
  return {
    input_tokens,
    cache_creation_input_tokens,
    cache_read_input_tokens,
    output_tokens,
    ...(output_tokens_details && { output_tokens_details }),
    ...(server_tool_use && { server_tool_use }),
    ...(iterations && { iterations }),
  }
}

interface BlockEvents {
  /** The block at its start. */
  shell: ContentBlock
  /** The deltas that fill it. */
  deltas: Iterable<ContentBlockDelta>
  isCut?: boolean
}

type Cut = (text: string) => Iterable<string>

function unfold(block: ContentBlock, cut: Cut): BlockEvents {
  if (block.type === 'text') {
    const shell = { ...block, text: '', ...(block.citations && { citations: [] }) }
    return { shell, deltas: textDeltas(block, cut) }
  }
  if (block.type === 'thinking')
    return { shell: { ...block, thinking: '', signature: '' }, deltas: thinkingDeltas(block, cut) }
  if (block.type === 'compaction') return unfoldCompaction(block)
  if (streamsInput(block)) {
    const shell = { ...block, input: {} }
    setPartialInput(shell, undefined)
    const text = partialInput(block)
    return { shell, deltas: inputDeltas(text ?? inputText(block.input), cut), isCut: text !== undefined }
  }
  return { shell: block, deltas: [] }
}

function* textDeltas({ text, citations }: TextBlock, cut: Cut): Generator<ContentBlockDelta> {
  for (const citation of citations ?? []) yield { type: 'citations_delta', citation }
  for (const piece of cut(text)) yield { type: 'text_delta', text: piece }
}

function* thinkingDeltas({ thinking, signature }: ThinkingBlock, cut: Cut): Generator<ContentBlockDelta> {
  for (const piece of cut(thinking)) yield { type: 'thinking_delta', thinking: piece }
  if (signature) yield { type: 'signature_delta', signature }
}

/** As in the API, the first piece is empty. It is the only one for a tool without arguments. */
function* inputDeltas(text: string, cut: Cut): Generator<ContentBlockDelta> {
  yield { type: 'input_json_delta', partial_json: '' }
  for (const piece of cut(text)) yield { type: 'input_json_delta', partial_json: piece }
}

function unfoldCompaction(block: CompactionBlock): BlockEvents {
  const { content, encrypted_content } = block
  const hasEncrypted = encrypted_content !== undefined
  return {
    shell: { ...block, content: null, ...(hasEncrypted && { encrypted_content: null }) },
    deltas: [{ type: 'compaction_delta', content, ...(hasEncrypted && { encrypted_content }) }],
  }
}

function streamsInput(block: ContentBlock): block is ContentBlock & { input: unknown } {
  return /^(?:|server_|mcp_)tool_use$/.test(block.type)
}

function inputText(input: unknown): string {
  const text = JSON.stringify(input ?? {})
  return text === '{}' ? '' : text
}

function* pieces(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    // Keep both halves of a surrogate pair together.
    const isPair = text.codePointAt(start + 19)! > 0xffff
    const end = start + (isPair ? 21 : 20)
    yield text.slice(start, end)
    start = end
  }
}
