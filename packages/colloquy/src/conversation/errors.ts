import { AnthropicError } from '../protocol/types/error.ts'
import { formatUsd } from '../protocol/models/money.ts'

/** Someone else changed the conversation since this process last saw it. Nothing was written and nothing was sent. */
export class ConversationConflictError extends AnthropicError {
  override name = 'ConversationConflictError'
  readonly conversationId: string
  /** `moved`: the conversation has other messages or settings now. `busy`: another turn is under way. */
  readonly reason: 'moved' | 'busy'
  /** The active message as the store has it now; undefined in an empty conversation. */
  readonly head: string | undefined

  constructor(conversationId: string, reason: 'moved' | 'busy', head: string | undefined) {
    super(
      reason === 'moved'
        ? `Cannot write to conversation ${conversationId}: another writer changed it, it stands at ${place(head)} now`
        : `Cannot write to conversation ${conversationId}: another turn is under way, it stands at ${place(head)} now`,
    )
    this.conversationId = conversationId
    this.reason = reason
    this.head = head
  }
}

function place(head: string | undefined): string {
  return head === undefined ? 'its beginning' : `message ${head}`
}

/** No conversation has the id, or the conversation has no such message. */
export class ConversationNotFoundError extends AnthropicError {
  override name = 'ConversationNotFoundError'
  readonly conversationId: string
  readonly messageId: string | undefined

  constructor(conversationId: string, messageId?: string) {
    super(
      messageId === undefined
        ? `Cannot find conversation ${conversationId}: the store has none with this id`
        : `Cannot find message ${messageId}: conversation ${conversationId} has none with this id`,
    )
    this.conversationId = conversationId
    this.messageId = messageId
  }
}

/** Earlier turns had to be summed up before the request, and could not be. Nothing of the turn was written. */
export class SummaryError extends AnthropicError {
  override name = 'SummaryError'

  constructor(found: string, options?: ErrorOptions) {
    super(`Cannot sum up the earlier turns, for which the window has no room: ${found}`, options)
  }
}

/** What was to be said cannot be: the API would refuse it. Nothing was written and nothing was sent. */
export class ContentError extends AnthropicError {
  override name = 'ContentError'
}

/** What a limit counts together, by its name: what is said behind the amount. */
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

/** The numbers of a limit that was too low: picodollars, or tokens. */
export interface LimitNumbers {
  allowed: bigint
  spent: bigint
  /** Held for calls under way, which may cost less in the end. */
  held: bigint
  /** The most that the call could take. */
  worst: bigint
}

/** The next call could cost more than is left. Nothing was written and nothing was sent. */
export class BudgetError extends AnthropicError implements LimitNumbers {
  override name = 'BudgetError'
  /** The limit, by the name under which it was set. */
  readonly limit: LimitName
  readonly allowed: bigint
  readonly spent: bigint
  readonly held: bigint
  readonly worst: bigint

  constructor(limit: LimitName, { allowed, spent, held, worst }: LimitNumbers) {
    const show = (amount: bigint): string => (limit.startsWith('tokens') ? `${amount} tokens` : formatUsd(amount))
    const used = limit.endsWith('PerCall') ? '' : `${show(spent)} are spent and `
    const kept = held === 0n ? '' : `${show(held)} are held for calls under way and `
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
}

/** What is wrong with the store, as a program needs to tell it apart. */
export type StoreErrorCode =
  /** Another process held the database for longer than `busyTimeoutMs`. */
  | 'locked'
  | 'read_only'
  /** No database, or one whose pages contradict each other. */
  | 'damaged'
  /** Written by a newer version of this program. */
  | 'newer'
  /** The disk, or the quota, is full. */
  | 'full'
  /** The file or its folder is not there or may not be opened. */
  | 'cannot_open'
  | 'closed'
  | 'failed'

/** The store failed; the step that it was doing left nothing behind. */
export class StoreError extends AnthropicError {
  override name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
