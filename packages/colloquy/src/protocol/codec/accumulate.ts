import { AnthropicError } from '../types/error.ts'
import type {
  ContentBlockDelta,
  ContentBlockStartEvent,
  MessageDeltaEvent,
  MessageStreamEvent,
  PingEvent,
} from '../types/event.ts'
import type { ContentBlock, Message } from '../types/message.ts'
import { setPartialInput } from './partial-input.ts'
import { parseJson } from './parse-json.ts'
import { JsonReader } from './partial-json.ts'
import { pinCompiledCode } from './pin-compiled-code.ts'

/** The whole message that a stream carries. A stream that ends before `message_stop` is an `AnthropicError`. */
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
 * Puts a message together from the events of its stream. The inverse of `replay`.
 *
 * It takes what it knows: events and deltas that this version does not list, and deltas that do not fit their block, change
 * nothing, and blocks that it does not list are kept as they began. No event is changed. A message that begins twice, or goes
 * on before it began, is an `AnthropicError`.
 */
export class MessageAccumulator {
  #message: Message | undefined
  #isWhole = false
  /** By the index that the events name. It is the block's place in `content` unless a server skips one. */
  readonly #blocks = new Map<number, OpenBlock>()
  /** The tool inputs that are under way. */
  readonly #inputs = new Set<ToolInput>()

  /** Whether `message_stop` came. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /**
   * The message so far; undefined before `message_start`. It grows in place: copy it to keep it. A tool input that is under
   * way, cut or malformed is what can be read of it, and `partialInput(block)` is then its text.
   */
  get message(): Message | undefined {
    for (const input of this.#inputs) input.show()
    return this.#message
  }

  push(event: MessageStreamEvent | PingEvent): void {
    switch (event.type) {
      case 'content_block_delta':
        this.#begun(event)
        return this.#change(this.#blocks.get(event.index), event.delta)
      case 'message_start':
        if (this.#message) throw outOfOrder(event, 'receiving "message_stop"')
        this.#message = copyOf(event.message)
        return
      case 'content_block_start':
        return this.#open(this.#begun(event), event)
      case 'content_block_stop':
        this.#begun(event)
        return this.#settle(this.#blocks.get(event.index)?.input)
      case 'message_delta':
        return update(this.#begun(event), event)
      case 'message_stop':
        this.#begun(event)
        for (const input of this.#inputs) this.#settle(input)
        this.#isWhole = true
    }
  }

  #begun(event: MessageStreamEvent): Message {
    if (!this.#message) throw outOfOrder(event, '"message_start"')
    return this.#message
  }

  #open(message: Message, { index, content_block: start }: ContentBlockStartEvent): void {
    const block = { ...start }
    if (block.type === 'text' && block.citations) block.citations = [...block.citations]
    message.content.push(block)
    this.#blocks.set(index, { block, input: hasInput(block) ? new ToolInput(block) : undefined })
  }

  #change(open: OpenBlock | undefined, delta: ContentBlockDelta): void {
    if (!open) return
    const { block, input } = open
    if (delta.type === 'input_json_delta' && input) {
      input.push(delta.partial_json)
      this.#inputs.add(input)
    } else if (block.type === 'text') {
      if (delta.type === 'text_delta') block.text += delta.text
      else if (delta.type === 'citations_delta') (block.citations ??= []).push(delta.citation)
    } else if (block.type === 'thinking') {
      if (delta.type === 'thinking_delta') block.thinking += delta.thinking
      else if (delta.type === 'signature_delta') block.signature = delta.signature
    } else if (block.type === 'compaction' && delta.type === 'compaction_delta') {
      block.content = delta.content
      if (delta.encrypted_content !== undefined) block.encrypted_content = delta.encrypted_content
    }
  }

  #settle(input: ToolInput | undefined): void {
    if (!input || !this.#inputs.delete(input)) return
    input.settle()
  }
}

interface OpenBlock {
  block: ContentBlock
  /** Of a block that has an input. */
  input: ToolInput | undefined
}

type InputBlock = ContentBlock & { input: unknown }

function hasInput(block: ContentBlock): block is InputBlock {
  return 'input' in block
}

/** The input of one block, put together from its pieces. Read whole when it ends, and before only when somebody looks. */
class ToolInput {
  readonly #block: InputBlock
  #text = ''
  /** The end of the text, which the reader does not have yet. */
  #unread = ''
  #reader: JsonReader | undefined

  constructor(block: InputBlock) {
    this.#block = block
  }

  push(piece: string): void {
    this.#text += piece
    this.#unread += piece
  }

  /** Puts what can be read into the block, with the text as long as that is not all. */
  show(): void {
    if (this.#unread === '') return
    pinCompiledCode(JsonReader)
    this.#reader ??= new JsonReader()
    this.#block.input = this.#reader.push(this.#unread) ?? this.#block.input
    this.#unread = ''
    setPartialInput(this.#block, this.#reader.isWhole ? undefined : this.#text)
  }

  settle(): void {
    // A tool without arguments may send empty pieces only: the `{}` that its block began with stands.
    if (this.#text === '') return
    try {
      this.#block.input = parseJson(this.#text)
      setPartialInput(this.#block, undefined)
    } catch {
      this.show()
      setPartialInput(this.#block, this.#text)
    }
  }
}

/** Some servers leave out what is still empty. */
function copyOf(message: Omit<Message, 'content'> & Partial<Message>): Message {
  return { ...message, content: [...(message.content ?? [])], usage: { ...message.usage } }
}

/** Counts are totals, so they replace what was there; `null` says nothing new. Fields that are not listed are taken along. */
function update(message: Message, { type: _type, delta, usage, ...rest }: MessageDeltaEvent): void {
  replace(message, rest)
  replace(message, delta)
  replace(message.usage, usage)
}

function replace(target: object, values: object | undefined): void {
  for (const [key, value] of Object.entries(values ?? {})) {
    if (value == null) continue
    if (key !== '__proto__') (target as Record<string, unknown>)[key] = value
    else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  }
}

function outOfOrder(event: MessageStreamEvent, before: string): AnthropicError {
  return new AnthropicError(`Unexpected event order, got ${event.type} before ${before}`)
}
