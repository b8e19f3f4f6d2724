/**
 * Keeps conversations. Each step of a turn is one call, and each call happens completely or not at all.
 *
 * A conversation is a tree of messages, numbered 1, 2, 3… in the order in which they were added. Each message names its
 * parent; the parent 0 is the beginning. `head` is the number of the active leaf, and the messages from the beginning to the
 * head are the active path. `version` counts the changes: a writer that has not seen the latest one is refused.
 *
 * Every method throws a `StoreError` if the store fails, and a `ConversationNotFoundError` if it needs a conversation or a
 * message that does not exist.
 */
export interface ConversationStore {
  /** The interval in milliseconds at which a silent turn must be journalled. After three of them it counts as abandoned. */
  readonly heartbeatMs: number
  /** The clock by which leases end and days begin, in milliseconds since 1970. */
  readonly now: () => number

  /** Adds a conversation, with its messages if it has any. Throws a `ConversationExistsError` if the id is taken. */
  create(conversation: NewConversation): Promise<ConversationRecord>
  /** Reads a conversation and its active path; undefined if it does not exist. */
  open(id: string, options?: OpenOptions): Promise<OpenedConversation | undefined>
  /** Reads the messages from the beginning to `leaf`. */
  path(id: string, leaf: number): Promise<MessageRecord[]>
  /** Reads the messages with these numbers, in ascending order. Numbers without a message are left out. */
  read(id: string, numbers: readonly number[]): Promise<MessageRecord[]>
  /** Reads all messages without their content, in ascending order. */
  tree(id: string): Promise<TreeNode[]>
  /** Reads all messages, in ascending order. */
  messages(id: string): AsyncIterable<MessageRecord>

  /** Finds the turn that was begun with the key. */
  find(id: string, key: string): Promise<RepeatedTurn | undefined>
  /**
   * Adds the user's messages and an empty message for the reply. Throws a `ConversationConflictError` if `version` is old,
   * and a `BudgetError` if the reservation does not fit into the limit of one of its accounts; then nothing is written.
   */
  begin(step: BeginStep): Promise<BegunTurn | RepeatedTurn>
  /**
   * Adds to the journal of a reply and extends its lease. Does nothing after the lease has ended. Returns true if the turn
   * is to be stopped, because `stop` was called in another process.
   */
  journal(step: JournalStep): Promise<boolean>
  /**
   * Reads the journal of a reply that another process may be receiving, from a part on. Undefined if the reply has ended or
   * does not exist.
   */
  received(id: string, number: number, from: number): Promise<ReceivedParts | undefined>
  /**
   * Ends the lease of a reply that was finished with `continues`. Does nothing if it has ended. Returns true if the turn is to be
   * stopped, because `stop` was called in another process since the last `journal`.
   */
  release(handle: number): Promise<boolean>
  /** Marks the replies with a lease as to be stopped, so that `journal` returns true. Returns the numbers of these replies. */
  stop(id: string): Promise<number[]>
  /**
   * Ends a reply. On return it survives a power failure. Its reservation is settled: the accounts are charged with the actual
   * usage instead, once, however often the reply is ended. A step that is sent a second time, because its result was lost or it
   * failed after the reply was stored, finds the reply and returns its number.
   */
  finish(step: FinishStep): Promise<FinishedTurn>
  /** Changes fields of the conversation. Throws a `ConversationConflictError` if `version` is old. */
  update(id: string, version: number, changes: ConversationChanges): Promise<number>
  /**
   * Erases a message and all that follow it. If the head is among them, it moves to the parent of the message. A key whose
   * replies are all erased can be used again. A reply that is still in flight is charged with its whole reservation, also by
   * `delete`. A store may erase a long branch step by step from its end, so that readers see a part of it until then; if the
   * process ends, another continues. Returns the version that it leaves.
   */
  prune(id: string, version: number, number: number): Promise<number>

  /** Reads the amounts of an account. */
  spending(account: Account): Promise<Spending>
  /** The ids of conversations with an abandoned reply that still has a reservation. Finishing the reply settles it. */
  abandonedReservations(): Promise<string[]>
  /** Erases the accounts of days before this one, such as `2026-11-21`, unless they have reservations. */
  forgetDays(before: string): Promise<void>

  /** Lists conversations, the last used first. */
  list(options: ListQuery): Promise<ConversationSummary[]>
  /**
   * Returns a text that differs from an earlier one if the store may have changed since, in this or another process.
   * Without this method, a reader that waits for changes lists the conversations instead.
   */
  stamp?(): Promise<string>
  /** Finds messages that contain every word, the last added first. Summaries are not searched. */
  search(words: readonly string[], options: SearchQuery): Promise<SearchHit[]>
  /** Checks the database as far as it can check itself, and returns a sentence for each problem. Default: none. */
  integrity?(): Promise<string[]>
  /** Erases a conversation; false if it does not exist, or was used later than the options say. */
  delete(id: string, options?: DeleteOptions): Promise<boolean>
  /** Closes the store. No other method may be called afterwards. */
  close(): Promise<void>
}

/**
 * - `pending`: the request was sent and nothing has arrived.
 * - `streaming`: some of the reply has arrived.
 * - `committed`: complete. A user message is always `committed`.
 * - `interrupted`: ended early, and the part that had arrived is kept.
 * - `failed`: ended before anything arrived.
 */
export type MessageState = 'pending' | 'streaming' | 'committed' | 'interrupted' | 'failed'

/** The place of a conversation in lists: above the others, or apart from them. */
export type Shelf = 'pinned' | 'archived'

/** A conversation to add to a store. */
export interface NewConversation {
  id: string
  /** Default null. */
  owner?: string | null | undefined
  /** JSON of an object. Default null. */
  metadata?: string | null | undefined
  /** Default null. */
  shelf?: Shelf | null | undefined
  title: string | null
  /** JSON. */
  settings: string
  /** When it was created, in milliseconds since 1970. */
  at: number
  /** When it was last used. Default `at`. */
  usedAt?: number
  /** Numbered messages; a parent comes before its children. Default none. */
  messages?: readonly MessageRecord[]
  /** Default 0. */
  head?: number
}

/** A conversation as a store keeps it. */
export interface ConversationRecord {
  id: string
  /** The user, team or tenant that the conversation belongs to. */
  owner: string | null
  /** JSON of an object that the program keeps with the conversation. */
  metadata: string | null
  shelf: Shelf | null
  version: number
  head: number
  /** The number of the newest message. */
  last: number
  createdAt: number
  updatedAt: number
  title: string | null
  /** JSON; empty if it is damaged. */
  settings: string
}

/**
 * A message as a store keeps it. Reading the content of a record throws a `StoreError` with the code `damaged` if the store
 * finds that its row is damaged. A record may be an instance of a class, which spread syntax does not copy.
 */
export interface MessageRecord {
  number: number
  parent: number
  role: string
  state: MessageState
  createdAt: number
  /** The exact JSON of the message as it is sent; empty if no part of it may be sent. */
  json: string
  /** The exact JSON of the message as it was received, if it differs. */
  received: string | null
  /** JSON of a `ReplyRecord`: what is known about a reply besides its content. */
  reply: string | null
}

/** Options of `open()`. */
export interface OpenOptions {
  /** Whether to read messages. If false, `messages` and `offPathReplies` are empty. Default true. */
  messages?: boolean
}

/** Options of `delete()`. */
export interface DeleteOptions {
  /** Erases the conversation only if it was last used before this time, in milliseconds since 1970. Default: in any case. */
  usedBefore?: number
}

/** A conversation as a store opens it, with its replies in flight. */
export interface OpenedConversation {
  conversation: ConversationRecord
  /** The active path. */
  messages: MessageRecord[]
  /** `reply` of each reply off the active path, and the billing data of erased replies: their cost counts too. */
  offPathReplies: string[]
  /** Replies with a lease. */
  unfinished: UnfinishedReply[]
}

/** A reply with a lease: it is being received, or its tools run. */
export interface UnfinishedReply {
  handle: number
  number: number
  parent: number
  /** The reply was finished with `continues`: its tools run, and the next step follows. */
  awaitsTools: boolean
  /**
   * The process that has the lease is gone, or the lease is too old: `finish` the reply with its journal, or `release` it if
   * it awaits tools.
   */
  abandoned: boolean
  /** The journal, in order. */
  journal: string[]
  /** The amounts reserved for the reply. */
  reserved: Amounts
}

/** A part of the journal of a reply in flight. */
export interface ReceivedParts {
  /** The parts from the given index on, in order. */
  parts: string[]
  /** The process that received the reply is gone, or its lease has ended. */
  abandoned: boolean
}

/** Picodollars, and tokens of prompts and replies. */
export interface Amounts {
  picoUsd: bigint
  tokens: bigint
}

/** An account adds up the usage of one user or of all users, on one day or on all days. */
export interface Account {
  /** `metadata.user_id` of the requests; empty for all users. */
  user: string
  /** A day in UTC, such as `2026-11-21`; empty for all days. */
  day: string
}

export interface LimitedAccount extends Account {
  /** The most that may be spent and reserved together. Default: no limit. */
  most: Partial<Amounts>
}

/** The most that a reply may use, set aside from the beginning of its turn until it has ended. */
export interface Reservation extends Amounts {
  /** The accounts to reserve in, and to charge when the reply ends. Without any, only `UnfinishedReply` shows the amounts. */
  accounts: readonly LimitedAccount[]
}

export interface Spending extends Amounts {
  /** Reserved for requests in flight. */
  held: Amounts
  /** The number of requests without a known price. They were charged with their reservation. */
  unpriced: number
}

/** A message without its content. */
export type TreeNode = Omit<MessageRecord, 'json' | 'received'>

/** The first step of a turn: stores the question and a place for the reply. */
export interface BeginStep {
  id: string
  version: number
  /** The number of the message to follow with the first of `messages`, or with the reply if there are none. */
  parent: number
  messages: readonly { role: string; json: string }[]
  /**
   * The role of the reply. A `summary` is a child of the last message that it sums up, and is erased with it; the head does
   * not move to it. Default `assistant`.
   */
  role?: 'assistant' | 'summary' | undefined
  /** Makes the turn idempotent: a second `begin` with the same key writes nothing and returns the first turn. */
  key?: string | undefined
  /** The title to set if the conversation has none. */
  title?: string | undefined
  /** Default: nothing is reserved. */
  reservation?: Reservation | undefined
  at: number
}

/** The result of beginning a turn. */
export interface BegunTurn {
  repeated: false
  version: number
  /** The number of the first of `messages`. The others follow it, then the reply. */
  first: number
  reply: number
  /** Names the reply in `journal` and `finish`. */
  handle: number
}

/** The earlier turn that was begun with the same key. */
export interface RepeatedTurn {
  repeated: true
  /** The number of the message with the key. */
  message: number
  /** The newest reply to it. */
  reply: MessageRecord
}

/** A step during a turn: stores the events that arrived. */
export interface JournalStep {
  handle: number
  /** 0, 1, 2… */
  index: number
  /** Empty to extend the lease only. */
  json: string
  at: number
}

/** The last step of a turn: stores the reply, or the part that arrived. */
export interface FinishStep {
  /** The id of the conversation. */
  id: string
  handle: number
  state: 'committed' | 'interrupted' | 'failed'
  json: string
  received: string | null
  reply: string
  at: number
  /** Keeps the lease, because the turn continues with another step after its tools. `release` ends the lease then. */
  continues?: boolean | undefined
  /** Set when finishing an abandoned reply: if another process has already finished it, do nothing. */
  recovering?: boolean | undefined
  /**
   * The accounts of the turn's reservation. If the reply had been finished as abandoned, its provisional charge there is
   * replaced by the actual one. Default none.
   */
  accounts?: readonly Account[] | undefined
}

/** The result of finishing a turn. */
export interface FinishedTurn {
  /** The number of the reply. It is a new one if the turn had been finished as abandoned before. */
  number: number
}

/** Changes of a conversation besides its messages. */
export interface ConversationChanges {
  owner?: string | null
  metadata?: string | null
  shelf?: Shelf | null
  title?: string | null
  settings?: string
  head?: number
  at: number
}

/** The conversations to list. */
export interface ListQuery {
  limit: number
  /** The place of the last conversation on the previous page. If that one is gone, others of its millisecond come twice. */
  before?: Pick<ConversationRecord, 'id' | 'updatedAt'> | undefined
  /** Only those that were last used before this time, in milliseconds since 1970. Default: all. */
  usedBefore?: number | undefined
  /** Default: the conversations of all owners, and those without one. */
  owner?: string | undefined
  /** The shelf on which they are; `none`: those on no shelf. Default: any. */
  shelf?: Shelf | 'none' | undefined
  /** A part of the title, in upper or lower case. Default: any title, and none. */
  title?: string | undefined
  /** Whether to add up `totals`. Default true. */
  totals?: boolean | undefined
}

/** The conversations to search. */
export interface SearchQuery {
  limit: number
  /** Default: the conversations of all owners, and those without one. */
  owner?: string | undefined
}

/** A conversation in a list. */
export interface ConversationSummary {
  id: string
  owner: string | null
  metadata: string | null
  shelf: Shelf | null
  title: string | null
  createdAt: number
  updatedAt: number
  version: number
  /** How many messages were ever added, on all branches. */
  messages: number
  /** The number of the newest reply with a lease; null if there is none. */
  receiving: number | null
  /** Absent if they were not asked for. */
  totals?: ConversationTotals
}

/** The sum over the replies of a conversation that were paid for, on all branches and erased ones included. */
export interface ConversationTotals extends Amounts {
  /** The number of these replies. */
  calls: number
  /** The number of these replies without a known price. */
  unpriced: number
  /** Whether the tokens of a reply are an estimate because it was interrupted. */
  estimated: boolean
}

/** A message that a search found. */
export interface SearchHit {
  conversationId: string
  title: string | null
  number: number
  role: string
  createdAt: number
  /** The text around the first word. */
  excerpt: string
}
