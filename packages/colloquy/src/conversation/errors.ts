import { AnthropicError } from '../protocol/types/error.ts'
import { plain } from '../protocol/models/jsonable.ts'
import { formatUsd } from '../protocol/models/money.ts'
import { cutText } from '../protocol/text.ts'

/**
 * Another writer changed the conversation since this process last saw it, or a reply is still being received. Nothing was
 * written and nothing was sent.
 *
 * @example
 * ```ts
 * import { ConversationConflictError, openConversations } from 'colloquy/conversation'
 * import { offline } from 'colloquy/engines'
 *
 * const conversations = openConversations({ engine: offline() })
 * const here = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
 * const there = await conversations.open(here.id) // in another tab
 * await there.send('Hello')
 * try {
 *   await here.send('Hello')
 * } catch (error) {
 *   console.log(error instanceof ConversationConflictError) // true
 *   await here.send('Hello', { onConflict: 'branch' })
 * }
 * ```
 */
export class ConversationConflictError extends AnthropicError {
  override name = 'ConversationConflictError'
  readonly conversationId: string
  /** `moved`: the conversation has other messages or settings now. `busy`: a turn is in flight. */
  readonly reason: 'moved' | 'busy'
  /** The id of the active message in the store; undefined if the conversation is empty. */
  readonly head: string | undefined

  constructor(conversationId: string, reason: 'moved' | 'busy', head: string | undefined) {
    super(
      reason === 'moved'
        ? `Cannot write to conversation ${conversationId}: another writer changed it, and it now ends at ${place(head)}`
        : `Cannot write to conversation ${conversationId}: a turn is in flight, and it now ends at ${place(head)}`,
    )
    this.conversationId = conversationId
    this.reason = reason
    this.head = head
  }
}

function place(head: string | undefined): string {
  return head === undefined ? 'its beginning' : `message ${head}`
}

/** The store has no conversation with the id, or the conversation no message with the id. */
export class ConversationNotFoundError extends AnthropicError {
  override name = 'ConversationNotFoundError'
  readonly conversationId: string
  readonly messageId: string | undefined

  constructor(conversationId: string, messageId?: string) {
    super(
      messageId === undefined
        ? `Cannot find conversation ${shown(conversationId)}: the store has none with this id`
        : `Cannot find message ${shown(messageId)}: conversation ${shown(conversationId)} has none with this id`,
    )
    this.conversationId = conversationId
    this.messageId = messageId
  }
}

/** An id as errors show it. One that a caller made up may have any length. */
function shown(id: string): string {
  return cutText(id, 100)
}

/** The id of a new conversation is taken. Nothing was written. */
export class ConversationExistsError extends AnthropicError {
  override name = 'ConversationExistsError'
  readonly conversationId: string

  constructor(conversationId: string) {
    super(`Cannot create conversation ${shown(conversationId)}: the store has one with this id`)
    this.conversationId = conversationId
  }
}

/** Earlier turns had to be summarized before the request, and that failed. Nothing of the turn was written. */
export class SummaryError extends AnthropicError {
  override name = 'SummaryError'

  constructor(found: string, options?: { cause?: unknown }) {
    super(`Cannot summarize the earlier turns, which do not fit into the window: ${found}`, options)
  }
}

/** The API would refuse the content. Nothing was written and nothing was sent. */
export class ContentError extends AnthropicError {
  override name = 'ContentError'
  /** The ids of the tool calls whose results are missing; empty if something else is wrong. */
  readonly waitingCalls: readonly string[]

  constructor(message: string, options: { waitingCalls?: readonly string[]; cause?: unknown } = {}) {
    super(message, options)
    this.waitingCalls = options.waitingCalls ?? []
  }
}

/** The limits by name, each with the words that follow its amount in an error. */
const limitScopes = {
  usd: '',
  tokens: '',
  usdPerCall: ' a call',
  tokensPerCall: ' a call',
  usdPerDay: ' a day',
  tokensPerDay: ' a day',
  usdPerUser: ' a user',
  tokensPerUser: ' a user',
  usdPerUserDay: ' a user and day',
  tokensPerUserDay: ' a user and day',
}

/** The name of a limit of a budget or of a store. */
export type LimitName = keyof typeof limitScopes

/** The numbers of a limit that was too low: picodollars or tokens. */
export interface LimitNumbers {
  allowed: bigint
  spent: bigint
  /** Reserved for requests in flight, which may cost less in the end. */
  held: bigint
  /** The most that the request could take. */
  worst: bigint
}

/**
 * The request could cost more than is left. Nothing was written and nothing was sent.
 *
 * @example
 * ```ts
 * import { BudgetError, openConversations } from 'colloquy/conversation'
 * import { offline } from 'colloquy/engines'
 * import { formatUsd } from 'colloquy/protocol'
 *
 * const settings = { model: 'claude-sonnet-4-6', max_tokens: 1024, budget: { usd: 0.001 } }
 * const chat = await openConversations({ engine: offline() }).create(settings)
 * try {
 *   await chat.send('Tell me a story.')
 * } catch (error) {
 *   if (error instanceof BudgetError) console.log(error.limit, formatUsd(error.worst)) // usd $0.0154
 * }
 * ```
 */
export class BudgetError extends AnthropicError implements LimitNumbers {
  override name = 'BudgetError'
  /** The name of the limit, as it was set. */
  readonly limit: LimitName
  readonly allowed: bigint
  readonly spent: bigint
  readonly held: bigint
  readonly worst: bigint

  constructor(limit: LimitName, { allowed, spent, held, worst }: LimitNumbers) {
    const show = (amount: bigint): string => (limit.startsWith('tokens') ? `${amount} tokens` : formatUsd(amount))
    const used = limit.endsWith('PerCall') ? '' : `${show(spent)} are spent and `
    const kept = held === 0n ? '' : `${show(held)} are reserved for calls in flight and `
    super(
      `Cannot send within the budget of ${show(allowed)}${limitScopes[limit]}: ` +
        `${used}${kept}the call could take ${show(worst)}`,
    )
    this.limit = limit
    this.allowed = allowed
    this.spent = spent
    this.held = held
    this.worst = worst
  }

  /** The error for logs: with its message, and with amounts as decimal strings. */
  toJSON(): unknown {
    return plain({ ...this, message: this.message })
  }
}

/** The kind of a store's failure. */
export type StoreErrorCode =
  /** Another process held the database for longer than `busyTimeoutMs`. */
  | 'locked'
  | 'read_only'
  /** The file is not a database, or its pages contradict each other. */
  | 'damaged'
  /** A newer version of this library wrote the database. */
  | 'newer'
  /** The disk or the quota is full. */
  | 'full'
  /** The file or its folder does not exist or cannot be opened. */
  | 'cannot_open'
  | 'closed'
  | 'failed'

/**
 * The store failed. The operation left nothing behind, with one exception: a reply may be stored although it is not certain
 * that the disk has it. The conversation then saves it again before its next write, and the store never keeps it twice. If the
 * connection to a database was lost, or it did not answer in time, the operation may have happened.
 */
export class StoreError extends AnthropicError {
  override name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }

  /** The reason of the failure for clients: unlike the message, it never names the file or the host of the store. */
  get reason(): string {
    return reasons[this.code]
  }
}

const reasons: Readonly<Record<StoreErrorCode, string>> = {
  locked: 'another program holds its lock',
  read_only: 'it is read-only',
  damaged: 'it is damaged',
  newer: 'a newer version wrote it',
  full: 'its disk is full',
  cannot_open: 'it cannot be reached',
  closed: 'it is closed',
  failed: 'it reported an error',
}
