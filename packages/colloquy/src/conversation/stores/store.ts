/**
 * Keeps conversations. Every step of a turn is one call, and every call happens whole or not at all.
 *
 * A conversation is a tree of messages numbered 1, 2, 3… in the order in which they were added. Each names its parent;
 * 0 is the beginning. `head` is the active leaf, and the messages from the beginning to the head are the active path.
 * `version` counts the changes, so that a writer that has not seen the newest one is refused.
 */
export interface ConversationStore {
  /** A turn that is silent must be journalled this often, or it counts as abandoned three times later. Milliseconds. */
  readonly heartbeatMs: number
  /** The clock by which turns count as abandoned, and days begin. Milliseconds since 1970. */
  readonly now: () => number

  /** Adds a conversation, with messages where it is a copy of another. */
  create(conversation: NewConversation): Promise<ConversationRecord>
  /** The conversation and its active path; undefined where there is none. */
  open(id: string): Promise<OpenedConversation | undefined>
  /** The messages from the beginning to `leaf`. */
  path(id: string, leaf: number): Promise<MessageRecord[]>
  /** The messages with these numbers, by number; those that are not there are left out. */
  read(id: string, numbers: readonly number[]): Promise<MessageRecord[]>
  /** Every message, by number, without its content. */
  tree(id: string): Promise<TreeNode[]>
  /** Every message, by number. */
  messages(id: string): AsyncIterable<MessageRecord>

  /** The turn that was begun with the key. */
  find(id: string, key: string): Promise<RepeatedTurn | undefined>
  /**
   * Adds the user's messages and a place for the reply. Throws `ConversationConflictError` when `version` is old, and
   * `BudgetError` where an account's limit leaves less than is to be held; then nothing is written and nothing held.
   */
  begin(step: BeginStep): Promise<BegunTurn | RepeatedTurn>
  /** Keeps what has arrived of a reply. Does nothing once the reply has ended. */
  journal(step: JournalStep): Promise<void>
  /**
   * Ends a reply. On return it survives the loss of power. What was held for it is free again, and what it used is spent, in
   * the same accounts: once, however often the reply is ended.
   */
  finish(step: FinishStep): Promise<FinishedTurn>
  /** Changes the title, the settings or the head. Throws `ConversationConflictError` when `version` is old. */
  update(id: string, version: number, changes: ConversationChanges): Promise<number>
  /**
   * Erases a message and all that follow it; a head among them moves to the message before. A key whose replies are all gone
   * finds nothing any more. For a reply under way, what was held is spent: here and when the conversation is deleted.
   */
  prune(id: string, version: number, number: number): Promise<number>

  /** What was spent in an account, and is held in it. */
  spending(account: Account): Promise<Spending>
  /** The conversations with a reply that counts as abandoned and holds something in an account: ending it sets that free. */
  abandonedReservations(): Promise<string[]>
  /** Erases the accounts of days before this one, in which nothing is held. */
  forgetDays(before: string): Promise<void>

  /** The last used first. */
  list(options: { limit: number; before?: string | undefined }): Promise<ConversationSummary[]>
  /** The newest hits first. Every word must occur. Summaries are not searched. */
  search(words: readonly string[], options: { limit: number }): Promise<SearchHit[]>
  /** Erases the conversation; false where there was none. */
  delete(id: string): Promise<boolean>
  close(): Promise<void>
}

/**
 * - `pending`: asked, nothing has arrived. `streaming`: some has. `awaiting_tools`: all has, and the turn goes on once its
 *   tools have answered.
 * - `committed`: whole. `interrupted`: ended early, what had arrived is kept. `failed`: ended before anything arrived.
 *
 * A user message is always `committed`.
 */
export type MessageState = 'pending' | 'streaming' | 'awaiting_tools' | 'committed' | 'interrupted' | 'failed'

export interface NewConversation {
  id: string
  title: string | null
  /** JSON. */
  settings: string
  /** Milliseconds since 1970. */
  at: number
  /** Numbered; a parent comes before its children. Default none. */
  messages?: readonly MessageRecord[]
  /** Default 0. */
  head?: number
}

export interface ConversationRecord {
  id: string
  version: number
  head: number
  /** The number of the newest message. */
  last: number
  createdAt: number
  updatedAt: number
  title: string | null
  settings: string
}

export interface MessageRecord {
  number: number
  parent: number
  role: string
  state: MessageState
  createdAt: number
  /** The message as it is sent, its exact JSON; empty where nothing of it may be sent. */
  json: string
  /** The message as it was received, where that is something else. */
  received: string | null
  /** Of a reply: JSON of what is known about it besides its content (`ReplyRecord`). */
  reply: string | null
}

export interface OpenedConversation {
  conversation: ConversationRecord
  /** The active path. */
  messages: MessageRecord[]
  /** `reply` of each reply that is not on the active path, and the numbers of those erased: money spent all the same. */
  offPathReplies: string[]
  /** Replies that have not ended. */
  unfinished: UnfinishedReply[]
}

export interface UnfinishedReply {
  handle: number
  number: number
  parent: number
  /** Whoever received it is gone, or has been silent for too long: `finish` it with what the journal has. */
  abandoned: boolean
  /** The journal, in order. */
  journal: string[]
  /** What is held for it. */
  reserved: Amounts
}

/** Picodollars, and tokens of prompts and replies. */
export interface Amounts {
  picoUsd: bigint
  tokens: bigint
}

/** What is added up: what one user spent, or all users together, ever or on one day. */
export interface Account {
  /** `metadata.user_id` of the requests; empty for all users. */
  user: string
  /** In UTC, such as `2026-11-21`; empty for all days. */
  day: string
}

export interface LimitedAccount extends Account {
  /** The most that may be spent and held together. Absent: no limit. */
  most: Partial<Amounts>
}

/** The most that a reply may use, held from the begin of its turn until it has ended. */
export interface Reservation extends Amounts {
  /** Where it is held, and what the reply used is counted. With none it only shows in `UnfinishedReply`. */
  accounts: readonly LimitedAccount[]
}

export interface Spending extends Amounts {
  /** Of calls under way. */
  held: Amounts
  /** Calls whose price is not known. They count with what was held for them. */
  unpriced: number
}

/** A message without what it says. */
export type TreeNode = Omit<MessageRecord, 'json' | 'received'>

export interface BeginStep {
  id: string
  version: number
  /** The message that the first of `messages`, or without any the reply, follows. */
  parent: number
  messages: readonly { role: string; json: string }[]
  /**
   * The role of the reply. A `summary` stands beside the path that it sums up, and is erased with it: the head stays where
   * it is. Default `assistant`.
   */
  role?: 'assistant' | 'summary' | undefined
  /** The same key a second time begins nothing and finds what the first time began. */
  key?: string | undefined
  /** Set where the conversation has no title. */
  title?: string | undefined
  /** Default nothing. */
  reservation?: Reservation | undefined
  at: number
}

export interface BegunTurn {
  repeated: false
  version: number
  /** The number of the first of `messages`; the others and then the reply follow it. */
  first: number
  reply: number
  /** Names the reply in `journal` and `finish`. */
  handle: number
}

export interface RepeatedTurn {
  repeated: true
  /** The message that the key was given to. */
  message: number
  /** The newest reply to it. */
  reply: MessageRecord
}

export interface JournalStep {
  handle: number
  /** 0, 1, 2… */
  index: number
  /** Empty for a mere sign of life. */
  json: string
  at: number
}

export interface FinishStep {
  /** The conversation's. */
  id: string
  handle: number
  state: 'committed' | 'awaiting_tools' | 'interrupted' | 'failed'
  json: string
  received: string | null
  reply: string
  at: number
  /** By whom the turn was found abandoned, who must not add a second copy where another was faster. */
  recovering?: boolean | undefined
  /** Those of the hold: where the turn had been given up, what was counted of it then is counted anew. Default none. */
  accounts?: readonly Account[] | undefined
}

export interface FinishedTurn {
  /** The reply's number: a new one where the turn had been given up for abandoned and its place was taken. */
  number: number
}

export interface ConversationChanges {
  title?: string | null
  settings?: string
  head?: number
  at: number
}

export interface ConversationSummary {
  id: string
  title: string | null
  createdAt: number
  updatedAt: number
  /** How many messages were ever added to it, those of other branches included. */
  messages: number
}

export interface SearchHit {
  conversationId: string
  title: string | null
  number: number
  role: string
  createdAt: number
  /** The text around the first word. */
  excerpt: string
}
