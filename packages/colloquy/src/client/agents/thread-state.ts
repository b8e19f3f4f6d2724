import { APIError, AnthropicError } from '../../protocol/types/error.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageCreateParams, MessageParam } from '../../protocol/types/params.ts'
import type { ParseableParams } from '../../protocol/json/parsed-message.ts'
import type { ToolUnion } from '../../protocol/types/tool.ts'
import type { RunnableTool } from '../../tools/runnable.ts'
import type { HeaderParams } from '../request/request.ts'

/** What a thread keeps between turns: every parameter but the messages. */
export interface ThreadFields extends Omit<ParseableParams, 'messages' | 'stream' | 'thread' | 'tools'>, HeaderParams {
  tools?: Array<ToolUnion | RunnableTool>
}

/**
 * What to do where the server keeps no threads: throw its error, or send this turn and every later one with the whole
 * history. Default `error`.
 */
export type UnsupportedRequestBehavior = 'error' | 'continue_unthreaded'

export interface ThreadParams extends ThreadFields {
  /** The conversation so far; the first turn sends it. */
  messages?: MessageParam[]
  unsupportedRequestBehavior?: UnsupportedRequestBehavior
}

/** A message, or a reply as it was received. */
export type ThreadMessage = MessageParam | Message

/** All that a thread knows. */
export interface ThreadState {
  fields: ThreadFields
  readonly onUnsupported: UnsupportedRequestBehavior
  /** What was answered, or may have been: the server holds it as long as the thread goes on. */
  held: Entry[]
  /** What the next turn sends. */
  staged: Entry[]
  /** What was appended while a turn is under way. */
  later: MessageParam[]
  anchor: Anchor
  isBusy: boolean
}

/** One message of the history, with the reply that it is. */
export interface Entry {
  message: MessageParam
  reply?: Message
  /** The stream of the reply broke off. */
  isPartial?: boolean
}

/** Where the next turn goes on: at the beginning of a new thread, after a reply, or without threads. */
type Anchor =
  | { type: 'create'; afterLoss: boolean }
  | { type: 'continue'; id: string; kept: string[]; afterLoss: boolean }
  | { type: 'none' }

/** A turn under way. */
export interface Turn {
  fields: ThreadFields
  /** Staged by the turn's own call: taken back when no reply comes. */
  own: Entry[]
}

const threadsBeta = 'message-threads-2026-08-12'

/** The server keeps these from the turn that creates the thread, and refuses them afterwards. */
const createOnly = ['system', 'tools'] as const

/** With these errors nothing was lost but the server's copy: the whole history makes a new one. */
const losses = ['thread_not_found', 'thread_already_continued', 'thread_continue_in_flight']

/** Stages a turn's messages. Throws for a change that the thread cannot take, with nothing staged. */
export function beginTurn(state: ThreadState, messages: readonly ThreadMessage[], fields: Partial<ThreadFields>): Turn {
  const merged = { ...state.fields, ...defined(fields) }
  checkCreateOnly(state, merged)
  const own: Entry[] = []
  for (const message of messages) {
    const entry = { message: toParam(message) }
    if (!isLastReply(state, message)) own.push(entry)
  }
  state.staged.push(...own)
  if (state.staged.length === 0) stageAgain(state)
  return { fields: merged, own }
}

/** The request of a turn: what the server does not hold, or the whole history. */
export function requestOf(
  { anchor, held, staged }: ThreadState,
  { fields }: Turn,
): Omit<MessageCreateParams, 'stream'> {
  // The marks of an answered message were for the request that sent it: all of them at once would be more than four.
  const answered = held.findLastIndex(({ reply }) => reply) + 1
  const sent =
    anchor.type === 'continue' ? [] : held.map(({ message }, at) => (at < answered ? withoutMarks(message) : message))
  // The API takes no message without content, though it may have given one.
  const messages = [...sent, ...staged.map(({ message }) => message)].filter(({ content }) => content.length > 0)
  const request = { ...fields, messages } as MessageCreateParams & ThreadFields
  if (anchor.type === 'none') return request
  request.betas = [...new Set([...(fields.betas ?? []), threadsBeta])]
  if (anchor.type === 'create') return { ...request, thread: { type: 'create' } }
  for (const field of createOnly) delete request[field]
  return { ...request, thread: { type: 'continue', previous_message_id: anchor.id } }
}

/** Whether the turn is to be sent again, because the state has adjusted to what the error says. */
export function recovers(state: ThreadState, error: unknown): boolean {
  if (!(error instanceof APIError)) return false
  const { anchor } = state
  const code = error.errorCode ?? ''
  const goesOnAlone = state.onUnsupported === 'continue_unthreaded'
  if (anchor.type === 'continue' && losses.includes(code)) {
    const isLost = code === 'thread_not_found'
    // Lost again right after it was made anew: this server keeps none.
    state.anchor = isLost && anchor.afterLoss && goesOnAlone ? { type: 'none' } : { type: 'create', afterLoss: isLost }
    return true
  }
  if (code !== 'thread_unsupported_request' || anchor.type === 'none' || !goesOnAlone) return false
  state.anchor = { type: 'none' }
  return true
}

/** Takes a whole reply. */
export function takeReply(state: ThreadState, { fields }: Turn, reply: Message): void {
  if (dropsRefusal(state, reply)) return
  hold(state, { message: toParam(reply), reply })
  adoptContainer(state, reply)
  const { anchor } = state
  if (anchor.type === 'none') return
  if (anchor.type === 'create') for (const field of createOnly) keep(state, field, fields)
  const isFallback = reply.usage.iterations?.some(({ type }) => type === 'fallback_message') ?? false
  state.anchor = isFallback
    ? { type: 'create', afterLoss: false }
    : { type: 'continue', id: reply.id, kept: keptOf(fields), afterLoss: anchor.type === 'create' && anchor.afterLoss }
}

/** Takes what there is of a reply whose stream broke off. The server holds all of it or nothing: a new thread begins. */
export function takePartialReply(state: ThreadState, partial: Message, wholeBlocks: number): void {
  if (dropsRefusal(state, partial)) return
  const content = partial.content.slice(0, wholeBlocks)
  const open = partial.content[wholeBlocks]
  // Any other open block lacks the end of its input or its signature.
  if (open?.type === 'text' && open.text) content.push(open)
  const reply = { ...partial, content }
  hold(state, content.length ? { message: toParam(reply), reply, isPartial: true } : undefined)
  beginAnew(state)
}

/** Ends a turn. Messages of its own that were not answered are taken back, so that the call may be made again. */
export function endTurn(state: ThreadState, { own }: Turn): void {
  const later = state.later.splice(0).filter((message) => !isLastReply(state, message))
  state.staged = state.staged.filter((entry) => !own.includes(entry))
  state.staged.push(...later.map((message) => ({ message })))
  state.isBusy = false
}

/** Puts other parameters and another history in place. One that goes on from what the server holds stays on the thread. */
export function replaceAll(
  state: ThreadState,
  { messages, ...fields }: ThreadFields & { messages: MessageParam[] },
): void {
  const goesOn = state.held.every(({ message }, index) => isSame(message, messages[index]))
  const known = new Map([...state.held, ...state.staged].map((entry) => [entry.message.content, entry]))
  const entries = messages.map((message): Entry => ({ ...known.get(message.content), message }))
  if (!goesOn) {
    state.held = []
    beginAnew(state)
  }
  state.fields = fields
  state.staged = entries.slice(state.held.length)
}

function keep<Field extends (typeof createOnly)[number]>(state: ThreadState, field: Field, fields: ThreadFields): void {
  if (fields[field] !== undefined) state.fields = { ...state.fields, [field]: fields[field] }
}

function hold(state: ThreadState, reply: Entry | undefined): void {
  state.held.push(...state.staged, ...(reply ? [reply] : []))
  state.staged = []
}

function beginAnew(state: ThreadState): void {
  if (state.anchor.type === 'continue') state.anchor = { type: 'create', afterLoss: false }
}

/** A refused turn must not stay in the history: the model would refuse what follows. */
function dropsRefusal(state: ThreadState, { stop_reason }: Message): boolean {
  if (stop_reason !== 'refusal') return false
  beginAnew(state)
  return true
}

/** Stages the last turn once more when it got no whole reply. */
function stageAgain(state: ThreadState): void {
  const last = state.held.at(-1)
  if (!last || (last.reply && !last.isPartial)) return
  if (last.reply) state.held.pop()
  state.staged = state.held.splice(state.held.findLastIndex(({ reply }) => reply) + 1)
}

function adoptContainer(state: ThreadState, { container }: Message): void {
  const given = state.fields.container
  if (!container || typeof given === 'string' || given?.id) return
  state.fields = { ...state.fields, container: given ? { ...given, id: container.id } : container.id }
}

function checkCreateOnly({ anchor }: ThreadState, fields: ThreadFields): void {
  if (anchor.type !== 'continue') return
  const now = keptOf(fields)
  const changed = createOnly.filter((_field, index) => now[index] !== anchor.kept[index])
  if (changed.length)
    throw new AnthropicError(
      `Cannot change ${changed.join(' and ')}: the server keeps what the thread was created with. ` +
        'Begin a new thread with `thread.params`.',
    )
}

function keptOf(fields: ThreadFields): string[] {
  return createOnly.map((field) => JSON.stringify(fields[field]) ?? '')
}

function isLastReply({ held, staged }: ThreadState, message: ThreadMessage): boolean {
  const last = staged.at(-1) ?? held.at(-1)
  if (!last?.reply) return false
  return 'id' in message ? message.id === last.reply.id : isSame(message, last.message)
}

function toParam(message: ThreadMessage): MessageParam {
  return 'id' in message ? { role: message.role, content: message.content } : message
}

function isSame(message: MessageParam, other: MessageParam | undefined): boolean {
  if (!other) return false
  // Almost always the very same content: no need to write it out.
  if (message.role === other.role && message.content === other.content) return true
  return JSON.stringify(message) === JSON.stringify(toParam(other))
}

function defined<Fields extends object>(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields
}

/** The places where a block may hold other blocks. */
const nesting = ['content', 'source', 'tool', 'definition', 'tool_references']

/** A copy without cache marks. What a tool was called with is data, and may have a field of that name. */
function withoutMarks<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutMarks) as Value
  if (typeof value !== 'object' || value === null) return value
  const { cache_control: _, ...copy } = value as { cache_control?: unknown; [field: string]: unknown }
  for (const key of nesting) if (copy[key] !== undefined) copy[key] = withoutMarks(copy[key])
  return copy as Value
}
