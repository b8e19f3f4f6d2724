import { APIError, AnthropicError } from '../../protocol/types/error.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageCreateParams, MessageParam } from '../../protocol/types/params.ts'
import { withContainer } from '../../tools/container.ts'
import {
  type RunnerRequest,
  type ThreadFields,
  type ThreadMessage,
  type ThreadParams,
  type UnsupportedRequestBehavior,
  toParam,
} from './thread-params.ts'

/** One message of the history, with the reply that it is. */
interface Entry {
  message: MessageParam
  reply?: Message
  /** Whether the stream of the reply broke off. */
  isPartial?: boolean
}

/** The place where the next turn continues: a new thread, a reply of this thread, or no thread. */
type Anchor =
  | { type: 'create'; afterLoss: boolean }
  | { type: 'continue'; id: string; created: string[]; afterLoss: boolean }
  | { type: 'none' }

/** A turn in flight. */
export interface OpenTurn {
  fields: ThreadFields
  /** The messages of the turn's own call, which are removed again if no reply arrives. */
  own: Entry[]
}

export type ThreadRequest = Omit<MessageCreateParams, 'stream'>

const threadsBeta = 'message-threads-2026-08-12'

/** The server keeps these from the turn that creates the thread, and refuses them afterwards. */
const createOnly = ['system', 'tools'] as const

/** Codes of errors that lost nothing but the server's copy: the whole history makes a new one. */
const losses = ['thread_not_found', 'thread_already_continued', 'thread_continue_in_flight']

/** The conversation of a thread: the answered messages, those that the next turn sends, and its place to continue. */
export class ThreadHistory {
  readonly onUnsupported: UnsupportedRequestBehavior
  #fields: ThreadFields
  #anchor: Anchor = { type: 'create', afterLoss: false }
  /** Messages that the server has, as long as the thread continues. */
  #answered: Entry[] = []
  /** Messages that the next turn sends. */
  #staged: Entry[]

  constructor({ messages = [], unsupportedRequestBehavior = 'error', ...fields }: ThreadParams) {
    this.onUnsupported = unsupportedRequestBehavior
    this.#fields = fields
    this.#staged = messages.map((message) => ({ message }))
  }

  get params(): ThreadParams & { messages: MessageParam[] } {
    const messages = [...this.#answered, ...this.#staged].map(({ message }) => message)
    return { ...this.#fields, messages, unsupportedRequestBehavior: this.onUnsupported }
  }

  /** The id of the reply that the next turn continues; null if it creates a new thread. */
  get previousMessageId(): string | null {
    return this.#anchor.type === 'continue' ? this.#anchor.id : null
  }

  /** The same conversation, with the appended messages, to continue in a thread of its own. */
  fork(appended: readonly MessageParam[]): ThreadHistory {
    const fork = new ThreadHistory(this.params)
    if (this.#anchor.type === 'none') fork.#anchor = this.#anchor
    fork.#answered = [...this.#answered]
    fork.#staged = [...this.#staged, ...appended.map((message) => ({ message }))]
    return fork
  }

  /** Stages a message, unless it is the last reply itself. */
  append(message: ThreadMessage): void {
    if (!this.#isLastReply(message)) this.#staged.push({ message: toParam(message) })
  }

  update(fields: Partial<ThreadFields>): void {
    this.#fields = { ...this.#fields, ...fields }
  }

  /** Replaces the parameters and the messages. A history that begins with the answered messages stays on the thread. */
  replace({ messages, ...fields }: RunnerRequest): void {
    const continues = this.#answered.every(({ message }, index) => isSame(message, messages[index]))
    const known = new Map([...this.#answered, ...this.#staged].map((entry) => [entry.message.content, entry]))
    const entries = messages.map((message): Entry => ({ ...known.get(message.content), message }))
    if (!continues) {
      this.#answered = []
      this.#createAgain()
    }
    this.#fields = fields
    this.#staged = entries.slice(this.#answered.length)
  }

  /** Stages the messages of a turn. Throws for a change that the thread cannot take, with nothing staged. */
  begin(messages: readonly ThreadMessage[], fields: Partial<ThreadFields>): OpenTurn {
    const merged = { ...this.#fields, ...defined(fields) }
    this.#checkCreateOnly(merged)
    const own: Entry[] = []
    for (const message of messages) checkMessage(message)
    for (const message of messages) if (!this.#isLastReply(message)) own.push({ message: toParam(message) })
    this.#staged.push(...own)
    if (this.#staged.length === 0) this.#stageUnanswered()
    return { fields: merged, own }
  }

  /** The request of a turn: the staged messages, or the whole history if the server does not have it. */
  requestOf({ fields }: OpenTurn): ThreadRequest {
    const anchor = this.#anchor
    const sent = anchor.type === 'continue' ? [] : this.#answeredToSend()
    // The API may reply without content, but accepts no message without it.
    const messages = [...sent, ...this.#staged.map(({ message }) => message)].filter(
      ({ content }) => content.length > 0,
    )
    const request = { ...fields, messages } as MessageCreateParams & ThreadFields
    if (anchor.type === 'none') return request
    request.betas = [...new Set([...(fields.betas ?? []), threadsBeta])]
    if (anchor.type === 'create') return { ...request, thread: { type: 'create' } }
    for (const field of createOnly) delete request[field]
    return { ...request, thread: { type: 'continue', previous_message_id: anchor.id } }
  }

  /** Moves the anchor to where an error allows the turn to be sent again. Returns whether it does. */
  adjustTo(error: unknown): boolean {
    const anchor = error instanceof APIError ? this.#anchorAfter(error.errorCode ?? '') : undefined
    if (!anchor) return false
    this.#anchor = anchor
    return true
  }

  /** Adds a complete reply. */
  addReply({ fields }: OpenTurn, reply: Message): void {
    if (this.#dropRefusal(reply)) return
    this.#answer({ message: toParam(reply), reply })
    this.#fields = withContainer(this.#fields, reply)
    const anchor = this.#anchor
    if (anchor.type === 'none') return
    if (anchor.type === 'create') this.#fields = { ...this.#fields, ...defined(createOnlyOf(fields)) }
    const isFallback = reply.usage.iterations?.some(({ type }) => type === 'fallback_message') ?? false
    const afterLoss = anchor.type === 'create' && anchor.afterLoss
    this.#anchor = isFallback
      ? { type: 'create', afterLoss: false }
      : { type: 'continue', id: reply.id, created: encodedCreateOnly(fields), afterLoss }
  }

  /**
   * Adds the part of a reply whose stream broke off. The server keeps all of a turn or nothing, so a new thread is created.
   */
  addPartialReply(partial: Message, completeBlocks: number): void {
    if (this.#dropRefusal(partial)) return
    const content = partial.content.slice(0, completeBlocks)
    const open = partial.content[completeBlocks]
    // Any other open block lacks the end of its input or its signature.
    if (open?.type === 'text' && open.text) content.push(open)
    const reply = { ...partial, content }
    this.#answer(content.length ? { message: toParam(reply), reply, isPartial: true } : undefined)
    this.#createAgain()
  }

  /** Ends a turn: removes its own messages if they were not answered, and stages those that were appended meanwhile. */
  end({ own }: OpenTurn, appended: readonly MessageParam[]): void {
    const added = appended.filter((message) => !this.#isLastReply(message))
    this.#staged = this.#staged.filter((entry) => !own.includes(entry))
    this.#staged.push(...added.map((message) => ({ message })))
  }

  /** Whether a message is the last reply as it was received, or a copy of it without its id right after it. */
  #isLastReply(message: ThreadMessage): boolean {
    const replied = ({ reply }: Entry): boolean => reply !== undefined
    if ('id' in message) {
      const last = this.#staged.findLast(replied) ?? this.#answered.findLast(replied)
      return message.id === last?.reply?.id
    }
    const last = this.#staged.at(-1) ?? this.#answered.at(-1)
    return last?.reply !== undefined && isSame(message, last.message)
  }

  #answer(reply: Entry | undefined): void {
    this.#answered.push(...this.#staged, ...(reply ? [reply] : []))
    this.#staged = []
  }

  /** The answered messages, without the cache marks of earlier requests: all of them together would exceed the limit of four. */
  #answeredToSend(): MessageParam[] {
    const answered = this.#answered.findLastIndex(({ reply }) => reply) + 1
    return this.#answered.map(({ message }, index) => (index < answered ? withoutMarks(message) : message))
  }

  #anchorAfter(code: string): Anchor | undefined {
    const anchor = this.#anchor
    const mayContinueAlone = this.onUnsupported === 'continue_unthreaded'
    if (anchor.type === 'continue' && losses.includes(code)) {
      const isLost = code === 'thread_not_found'
      // A thread that is lost again right after it was created: this server keeps none.
      return isLost && anchor.afterLoss && mayContinueAlone ? { type: 'none' } : { type: 'create', afterLoss: isLost }
    }
    const isUnsupported = code === 'thread_unsupported_request' && anchor.type !== 'none'
    return isUnsupported && mayContinueAlone ? { type: 'none' } : undefined
  }

  #createAgain(): void {
    if (this.#anchor.type === 'continue') this.#anchor = { type: 'create', afterLoss: false }
  }

  /** A refused turn is not kept: the model would refuse what follows it. */
  #dropRefusal({ stop_reason }: Message): boolean {
    if (stop_reason !== 'refusal') return false
    this.#createAgain()
    return true
  }

  /** Stages the last turn again if it has no complete reply. */
  #stageUnanswered(): void {
    const last = this.#answered.at(-1)
    if (!last || (last.reply && !last.isPartial)) return
    if (last.reply) this.#answered.pop()
    this.#staged = this.#answered.splice(this.#answered.findLastIndex(({ reply }) => reply) + 1)
  }

  #checkCreateOnly(fields: ThreadFields): void {
    const anchor = this.#anchor
    if (anchor.type !== 'continue') return
    const now = encodedCreateOnly(fields)
    const changed = createOnly.filter((_field, index) => now[index] !== anchor.created[index])
    if (changed.length)
      throw new AnthropicError(
        `Cannot change ${changed.join(' and ')}: the server keeps what the thread was created with. ` +
          'Begin a new thread with `thread.params`.',
      )
  }
}

function createOnlyOf({ system, tools }: ThreadFields): object {
  return { system, tools }
}

function encodedCreateOnly(fields: ThreadFields): string[] {
  return createOnly.map((field) => JSON.stringify(fields[field]) ?? '')
}

function isSame(message: MessageParam, other: MessageParam | undefined): boolean {
  if (!other) return false
  // Usually the very same content, which need not be encoded to compare it.
  if (message.role === other.role && message.content === other.content) return true
  return JSON.stringify(message) === JSON.stringify(toParam(other))
}

function defined<Fields extends object>(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields
}

/** The fields of a block that may hold other blocks. */
const nesting = ['content', 'source', 'tool', 'definition', 'tool_references']

/** A copy without cache marks. The input of a tool call is data, and may have a field of that name. */
function withoutMarks<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutMarks) as Value
  if (typeof value !== 'object' || value === null) return value
  const { cache_control: _, ...copy } = value as { cache_control?: unknown; [field: string]: unknown }
  for (const key of nesting) if (copy[key] !== undefined) copy[key] = withoutMarks(copy[key])
  return copy as Value
}

function checkMessage(message: ThreadMessage | null): void {
  if (typeof message === 'object' && message?.content != null) return
  throw new AnthropicError("Cannot send to a thread: it takes messages such as { role: 'user', content: 'Hello' }")
}
