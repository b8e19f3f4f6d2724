import { AnthropicError } from '../types/error.ts'
import type { TextCitation } from '../types/citation.ts'
import type {
  CitationsDelta,
  CompactionDelta,
  ContentBlockDelta,
  ContentBlockDeltaEvent,
  ContentBlockStartEvent,
  ContentBlockStopEvent,
  MessageDeltaEvent,
  MessageStreamEvent,
  PingEvent,
} from '../types/event.ts'
import type { CompactionBlock } from '../types/beta/compaction.ts'
import type { ContentBlock, Message } from '../types/message.ts'
import { setPartialInput } from './partial-input.ts'
import { parseJson } from './parse-json.ts'
import { JsonReader } from './partial-json.ts'
import {
  malformed,
  objectOf,
  outOfOrder,
  setBlocksByIndex,
  startedBlock,
  startedMessage,
  stringOf,
} from './event-values.ts'
import { pinCompiledCode } from './pin-compiled-code.ts'

/**
 * Reads a stream to its end and returns the message. Throws an `AnthropicError` if it ends before `message_stop`.
 *
 * @example
 * ```ts
 * import { engineFetch, script } from 'colloquy/engines'
 * import { accumulate, decodeEvents } from 'colloquy/protocol'
 *
 * const fetch = engineFetch(script(['Paris.']))
 * const body = { model: 'claude-sonnet-4-6', max_tokens: 100, stream: true, messages: [{ role: 'user', content: 'Hi' }] }
 * const response = await fetch('https://localhost/v1/messages', { method: 'POST', body: JSON.stringify(body) })
 * const message = await accumulate(decodeEvents(response.body!))
 * console.log(message.content[0]?.type, message.stop_reason) // text end_turn
 * ```
 */
export async function accumulate(
  events: AsyncIterable<MessageStreamEvent | PingEvent> | Iterable<MessageStreamEvent | PingEvent>,
): Promise<Message> {
  pinCompiledCode(MessageAccumulator)
  const accumulator = new MessageAccumulator()
  for await (const event of events) accumulator.push(event)
  const { message, isWhole } = accumulator
  if (!message) throw new AnthropicError('Cannot read a message: the stream ended before message_start')
  if (!isWhole) throw new AnthropicError('Cannot read the whole message: the stream ended before message_stop')
  return message
}

/**
 * Assembles a message from the events of its stream. The inverse of `replay`.
 *
 * Unknown events and deltas, and deltas that do not fit their block, are ignored; unknown blocks stay as they began. Fields
 * that the start of a message or block left out are empty. Events are not modified. A malformed event is an `AnthropicError`
 * that names the field, as is a second `message_start` or another event before the first.
 *
 * @example
 * ```ts
 * import { script } from 'colloquy/engines'
 * import { MessageAccumulator } from 'colloquy/protocol'
 *
 * const engine = script(['One two three.'])
 * const accumulator = new MessageAccumulator()
 * const request = { model: 'claude-sonnet-4-6', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Count.' }] }
 * for await (const event of engine(request)) accumulator.push(event)
 * console.log(accumulator.message?.stop_reason) // end_turn
 * ```
 */
export class MessageAccumulator {
  #message: Message | undefined
  #isWhole = false
  /** By the index in the events. It equals the index in `content` unless a server skips one. */
  readonly #blocks = new Map<number, OpenBlock>()
  /** The tool inputs that the message does not have yet, or not completely. */
  readonly #inputs = new Set<ToolInput>()
  /** The blocks whose text is not in the message yet. */
  readonly #late: OpenBlock[] = []
  /** Whether the message was read. Its reader may hold it, so it must be up to date from then on. */
  #isRead = false

  /** Whether `message_stop` has arrived. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /**
   * The message so far; undefined before `message_start`. It grows in place: copy it to keep it. A tool input that is still
   * streaming, cut or malformed holds its readable part, and `partialInput(block)` returns its text.
   */
  get message(): Message | undefined {
    this.#isRead = true
    while (this.#late.length > 0) showText(this.#late.pop()!)
    for (const input of this.#inputs) {
      if (input.isEnded) this.#settle(input)
      else input.show()
    }
    return this.#message
  }

  /** Adds an event to the message. */
  push(event: MessageStreamEvent | PingEvent): void {
    switch (event.type) {
      case 'content_block_delta':
        this.#started(event)
        return this.#change(this.#blockOf(event), event.delta)
      case 'message_start':
        if (this.#message) throw outOfOrder(event, 'receiving "message_stop"')
        return this.#start(startedMessage(event.message))
      case 'content_block_start':
        return this.#open(this.#started(event), event)
      case 'content_block_stop':
        this.#started(event)
        return this.#end(this.#blockOf(event)?.input)
      case 'message_delta':
        return update(this.#started(event), event)
      case 'message_stop':
        this.#started(event)
        for (const input of this.#inputs) this.#end(input)
        this.#isWhole = true
    }
  }

  #started(event: MessageStreamEvent): Message {
    if (!this.#message) throw outOfOrder(event, '"message_start"')
    return this.#message
  }

  #start(message: Message): void {
    this.#message = message
    for (const [index, block] of message.content.entries()) this.#addOpen(index, block)
  }

  #open(message: Message, { index, content_block: start }: ContentBlockStartEvent): void {
    if (!Number.isInteger(index)) throw malformed('content_block_start', 'index', 'a whole number', index)
    const block = startedBlock(start)
    message.content.push(block)
    this.#addOpen(index, block)
    if (index !== message.content.length - 1) setBlocksByIndex(message, this.#blocks)
    // From here on another model writes the reply, and is paid for it.
    if (block.type === 'fallback' && typeof block.to?.model === 'string') message.model = block.to.model
  }

  #addOpen(index: number, block: ContentBlock): void {
    this.#blocks.set(index, { block, input: hasInput(block) ? new ToolInput(block) : undefined, text: undefined })
  }

  /** The block of an event; undefined if a server names one that did not begin. */
  #blockOf({ type, index }: ContentBlockDeltaEvent | ContentBlockStopEvent): OpenBlock | undefined {
    const open = this.#blocks.get(index)
    if (!open && !Number.isInteger(index)) throw malformed(type, 'index', 'a whole number', index)
    return open
  }

  #change(open: OpenBlock | undefined, delta: ContentBlockDelta): void {
    if (typeof delta?.type !== 'string') throw malformed('content_block_delta', 'delta', 'an object with a type', delta)
    if (!open) return
    const { block, input } = open
    if (delta.type === 'input_json_delta' && input) {
      input.push(textIn(delta.partial_json, 'partial_json'))
      if (!input.isPending) this.#inputs.add(input)
      input.isPending = true
    } else if (block.type === 'text') {
      if (delta.type === 'text_delta') this.#addText(open, textIn(delta.text, 'text'))
      else if (delta.type === 'citations_delta') (block.citations ??= []).push(citationIn(delta))
    } else if (block.type === 'thinking') {
      if (delta.type === 'thinking_delta') this.#addText(open, textIn(delta.thinking, 'thinking'))
      else if (delta.type === 'signature_delta') block.signature = textIn(delta.signature, 'signature')
    } else if (block.type === 'compaction' && delta.type === 'compaction_delta') compact(block, delta)
  }

  #addText(open: OpenBlock, piece: string): void {
    const { block } = open
    if (!this.#isRead) {
      if (!open.text) this.#late.push(open)
      ;(open.text ??= new TextPieces()).add(piece)
    } else if (block.type === 'text') block.text += piece
    else if (block.type === 'thinking') block.thinking += piece
  }

  /** Parses an input that has ended: now if the message was read, as its reader may hold it, else when it is read. */
  #end(input: ToolInput | undefined): void {
    if (!input?.isPending) return
    input.isEnded = true
    if (this.#isRead) this.#settle(input)
  }

  #settle(input: ToolInput): void {
    this.#inputs.delete(input)
    input.isPending = false
    input.settle()
  }
}

interface OpenBlock {
  block: ContentBlock
  /** Set if the block has an input. */
  input: ToolInput | undefined
  /** The text that the block does not have yet. */
  text: TextPieces | undefined
}

function showText({ block, text }: OpenBlock): void {
  if (block.type === 'text') block.text += text!.take()
  else if (block.type === 'thinking') block.thinking += text!.take()
}

type InputBlock = ContentBlock & { input: unknown }

function hasInput(block: ContentBlock): block is InputBlock {
  return 'input' in block
}

/** The input of one block, assembled from its pieces. Parsed when it ends, and earlier only if the message is read. */
class ToolInput {
  /** Whether the message does not have all of it. */
  isPending = false
  /** Whether all of its text has arrived. */
  isEnded = false
  readonly #block: InputBlock
  readonly #pieces = new TextPieces()
  /** The last part of the text, which the reader has not read yet. Empty while there is no reader. */
  #unread = ''
  #reader: JsonReader | undefined

  constructor(block: InputBlock) {
    this.#block = block
  }

  push(piece: string): void {
    this.#pieces.add(piece)
    if (this.#reader) this.#unread += piece
  }

  /** Sets the block's input to its readable part, and attaches the text while that is not complete. */
  show(): void {
    const unread = this.#reader ? this.#unread : this.#pieces.text
    if (unread === '') return
    pinCompiledCode(JsonReader)
    this.#reader ??= new JsonReader()
    this.#block.input = this.#reader.push(unread) ?? this.#block.input
    this.#unread = ''
    setPartialInput(this.#block, this.#reader.isWhole ? undefined : this.#pieces.text)
  }

  settle(): void {
    // A tool without arguments may send only empty pieces: the block keeps the `{}` that it began with.
    if (this.#pieces.text === '') return
    try {
      this.#block.input = parseJson(this.#pieces.text)
      setPartialInput(this.#block, undefined)
    } catch {
      this.show()
      setPartialInput(this.#block, this.#pieces.text)
    }
  }
}

/** Joining fewer leaves V8 more objects to move, joining more keeps the pieces alive for longer. */
const maxPieces = 64

/**
 * Collects a text that arrives in pieces and is read later. As a string that grows, each piece would stay an object of its own
 * until the text is read, which costs a third of the time of a stream.
 */
class TextPieces {
  #text = ''
  #pieces: string[] = []

  add(piece: string): void {
    if (this.#pieces.push(piece) === maxPieces) this.#join()
  }

  get text(): string {
    if (this.#pieces.length > 0) this.#join()
    return this.#text
  }

  /** The text. Begins again with none. */
  take(): string {
    const { text } = this
    this.#text = ''
    return text
  }

  #join(): void {
    this.#text += this.#pieces.join('')
    this.#pieces = []
  }
}

function textIn(value: unknown, field: string): string {
  return typeof value === 'string' ? value : stringOf(value, 'content_block_delta', `delta.${field}`)
}

function citationIn({ citation }: CitationsDelta): TextCitation {
  return objectOf(citation, 'content_block_delta', 'delta.citation') as unknown as TextCitation
}

function compact(block: CompactionBlock, { content, encrypted_content }: CompactionDelta): void {
  if (content !== undefined) block.content = content === null ? null : textIn(content, 'content')
  if (encrypted_content !== undefined) block.encrypted_content = encrypted_content
}

/** Applies a `message_delta`. Counts are totals and replace earlier ones, `null` does not. Unknown fields are copied too. */
function update(message: Message, { type: _type, delta, usage, ...rest }: MessageDeltaEvent): void {
  replace(message, rest)
  if (delta != null) replace(message, objectOf(delta, 'message_delta', 'delta'))
  if (usage != null) replace(message.usage, objectOf(usage, 'message_delta', 'usage'))
}

function replace(target: object, values: object): void {
  for (const key of Object.keys(values)) {
    const value = (values as Record<string, unknown>)[key]
    if (value == null) continue
    if (key !== '__proto__') (target as Record<string, unknown>)[key] = value
    else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  }
}
