import { checkOptions } from '../../../engines/check-options.ts'
import { CheckedStore } from '../checked-store.ts'
import { ConversationExistsError, ConversationNotFoundError, StoreError } from '../../errors.ts'
import { isUnfinished } from '../../history/tree.ts'
import { lateFinish } from '../late-finish.ts'
import { LeaseClock, type LeaseOptions, leaseRules } from '../lease.ts'
import type {
  Account,
  BeginStep,
  BegunTurn,
  ConversationChanges,
  ConversationRecord,
  ConversationStore,
  ConversationSummary,
  DeleteOptions,
  FinishedTurn,
  FinishStep,
  JournalStep,
  ListQuery,
  MessageRecord,
  NewConversation,
  OpenedConversation,
  OpenOptions,
  ReceivedParts,
  RepeatedTurn,
  Reservation,
  SearchHit,
  SearchQuery,
  Spending,
  TreeNode,
} from '../store.ts'
import { type AddedMessage, MemoryConversation } from './conversation.ts'
import { MemoryLeases } from './leases.ts'
import { foldCase } from '../../history/text.ts'
import { searchMessages } from './search.ts'
import { MemorySpending } from './spending.ts'

/** Options of `memoryStore()`. */
export type MemoryStoreOptions = LeaseOptions

/**
 * Keeps conversations until the process ends: for tests, and for programs that need no more.
 *
 * @example
 * ```ts
 * import { memoryStore, openConversations } from 'colloquy/conversation'
 * import { offline } from 'colloquy/engines'
 *
 * const store = memoryStore()
 * const settings = { model: 'claude-sonnet-4-6', max_tokens: 100 }
 * const { id } = await openConversations({ engine: offline(), store }).create(settings)
 * console.log((await openConversations({ engine: offline(), store }).open(id)).id === id) // true
 * ```
 */
export function memoryStore(options: MemoryStoreOptions = {}): ConversationStore {
  checkOptions(options, leaseRules, 'memoryStore()')
  return new CheckedStore(new MemoryStore(options))
}

const noReservation: Reservation = { picoUsd: 0n, tokens: 0n, accounts: [] }

class MemoryStore implements ConversationStore {
  readonly heartbeatMs: number
  readonly now: () => number
  readonly #conversations = new Map<string, MemoryConversation>()
  #added: AddedMessage[] = []
  readonly #spending = new MemorySpending()
  readonly #leases: MemoryLeases
  // The reply of a turn that was taken for abandoned may still end: its handle says where it belongs.
  readonly #handles = new Map<number, { conversation: MemoryConversation; number: number }>()
  #lastHandle = 0
  #closed = false

  constructor(options: MemoryStoreOptions) {
    const clock = new LeaseClock(options)
    this.heartbeatMs = clock.heartbeatMs
    this.now = clock.now
    this.#leases = new MemoryLeases(clock, this.#spending)
  }

  async create(added: NewConversation): Promise<ConversationRecord> {
    this.#checkOpen()
    if (this.#conversations.has(added.id)) throw new ConversationExistsError(added.id)
    const conversation = new MemoryConversation(added, this.#added)
    this.#conversations.set(added.id, conversation)
    return { ...conversation.record }
  }

  async open(id: string, { messages: isPathRead = true }: OpenOptions = {}): Promise<OpenedConversation | undefined> {
    this.#checkOpen()
    const conversation = this.#conversations.get(id)
    if (conversation === undefined) return undefined
    const messages = isPathRead ? conversation.path(conversation.record.head) : []
    return {
      conversation: { ...conversation.record },
      messages,
      offPathReplies: isPathRead ? conversation.offPathReplies(messages) : [],
      unfinished: this.#leases.of(conversation),
    }
  }

  async path(id: string, leaf: number): Promise<MessageRecord[]> {
    return this.#find(id).path(leaf)
  }

  async read(id: string, numbers: readonly number[]): Promise<MessageRecord[]> {
    const { messages } = this.#find(id)
    return [...messages.values()].filter(({ number }) => numbers.includes(number)).map((message) => ({ ...message }))
  }

  async tree(id: string): Promise<TreeNode[]> {
    return [...this.#find(id).messages.values()].map(({ json: _, received: __, ...node }) => node)
  }

  async *messages(id: string): AsyncIterable<MessageRecord> {
    yield* this.#find(id).all()
  }

  async find(id: string, key: string): Promise<RepeatedTurn | undefined> {
    return this.#find(id).repeated(key)
  }

  async begin(step: BeginStep): Promise<BegunTurn | RepeatedTurn> {
    const { id, version, parent, key, reservation = noReservation } = step
    const conversation = this.#find(id)
    const repeated = key === undefined ? undefined : conversation.repeated(key)
    if (repeated !== undefined) return repeated
    conversation.checkVersion(version)
    conversation.checkMessage(parent)
    this.#spending.reserve(reservation)
    const first = conversation.record.last + 1
    const reply = conversation.begin(step)
    const handle = ++this.#lastHandle
    this.#leases.begin(handle, conversation, reply, reservation)
    this.#handles.set(handle, { conversation, number: reply })
    return { repeated: false, version: conversation.record.version, first, reply, handle }
  }

  async journal(step: JournalStep): Promise<boolean> {
    this.#checkOpen()
    return this.#leases.journal(step)
  }

  async received(id: string, number: number, from: number): Promise<ReceivedParts | undefined> {
    this.#checkOpen()
    const conversation = this.#conversations.get(id)
    return conversation && this.#leases.received(conversation, number, from)
  }

  async release(handle: number): Promise<boolean> {
    return this.#leases.release(handle)
  }

  async stop(id: string): Promise<number[]> {
    return this.#leases.stop(this.#find(id))
  }

  async finish(step: FinishStep): Promise<FinishedTurn> {
    this.#checkOpen()
    const { id, handle, state, json, received, reply, recovering = false, continues } = step
    const begun = this.#handles.get(handle)
    const stored = begun?.conversation.messages.get(begun.number)
    if (begun === undefined || stored === undefined) throw new ConversationNotFoundError(id)
    if (!recovering) this.#handles.delete(handle)
    if (!isUnfinished(stored.state)) return this.#finishLate(begun.conversation, stored, step)
    begun.conversation.amend(stored.number, { state, json, received, reply })
    this.#leases.end(handle, reply, continues)
    return { number: stored.number }
  }

  async update(id: string, version: number, { at, ...changes }: ConversationChanges): Promise<number> {
    const conversation = this.#find(id)
    conversation.checkVersion(version)
    if (changes.head !== undefined) conversation.checkMessage(changes.head)
    conversation.change({ ...changes, updatedAt: at })
    return conversation.record.version
  }

  async prune(id: string, version: number, number: number): Promise<number> {
    const conversation = this.#find(id)
    conversation.checkVersion(version)
    conversation.checkMessage(number)
    const erased = conversation.prune(number)
    this.#added = this.#added.filter((added) => added.conversation !== conversation || !erased.has(added.number))
    this.#leases.erase(conversation, (each) => erased.has(each))
    return conversation.record.version
  }

  async spending(account: Account): Promise<Spending> {
    this.#checkOpen()
    return this.#spending.of(account)
  }

  async forgetDays(before: string): Promise<void> {
    this.#checkOpen()
    this.#spending.forgetDays(before)
  }

  async abandonedReservations(): Promise<string[]> {
    return this.#leases.abandonedReservations()
  }

  async list({ limit, before, totals = true, ...query }: ListQuery): Promise<ConversationSummary[]> {
    this.#checkOpen()
    // Sorting is stable: of conversations used in the same millisecond the newer comes first.
    const newest = [...this.#conversations.values()].toReversed()
    const last = newest.findIndex(({ record }) => record.id === before?.id)
    const isLater = ({ updatedAt }: ConversationRecord, index: number): boolean =>
      before === undefined || updatedAt < before.updatedAt || (updatedAt === before.updatedAt && index > last)
    return newest
      .filter(({ record }, index) => isLater(record, index) && isWanted(record, query))
      .toSorted((a, b) => b.record.updatedAt - a.record.updatedAt)
      .slice(0, limit)
      .map((conversation) => ({ ...conversation.summary({ totals }), receiving: this.#leases.newest(conversation) }))
  }

  async search(words: readonly string[], query: SearchQuery): Promise<SearchHit[]> {
    this.#checkOpen()
    return searchMessages(this.#added, words, query)
  }

  async delete(id: string, { usedBefore = Infinity }: DeleteOptions = {}): Promise<boolean> {
    this.#checkOpen()
    const conversation = this.#conversations.get(id)
    if (conversation === undefined || conversation.record.updatedAt >= usedBefore) return false
    this.#leases.erase(conversation, () => true)
    for (const [handle, begun] of this.#handles) if (begun.conversation === conversation) this.#handles.delete(handle)
    this.#added = this.#added.filter((added) => added.conversation !== conversation)
    conversation.erase()
    return this.#conversations.delete(id)
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  /** Adds the reply beside the stored one. */
  #finishLate(conversation: MemoryConversation, stored: MessageRecord, step: FinishStep): FinishedTurn {
    const late = lateFinish(stored.reply!, step)
    if (late === undefined) return { number: stored.number }
    const { state, json, received, reply, at, accounts = [] } = step
    if (late.correction !== undefined) this.#spending.enter(accounts, late.correction)
    conversation.amend(stored.number, { reply: late.replaced })
    const { last, head } = conversation.record
    const number = last + 1
    conversation.add({ ...stored, number, state, createdAt: at, json, received, reply })
    conversation.change({ last: number, head: head === stored.number ? number : head, updatedAt: at })
    return { number }
  }

  #find(id: string): MemoryConversation {
    this.#checkOpen()
    const conversation = this.#conversations.get(id)
    if (conversation === undefined) throw new ConversationNotFoundError(id)
    return conversation
  }

  #checkOpen(): void {
    if (this.#closed) throw new StoreError('closed', 'Cannot use the store: it is closed')
  }
}

function isWanted(
  record: ConversationRecord,
  { owner, shelf, title = '', usedBefore = Infinity }: Omit<ListQuery, 'limit' | 'before' | 'totals'>,
): boolean {
  if (record.updatedAt >= usedBefore || (owner !== undefined && record.owner !== owner)) return false
  if (title !== '' && !foldCase(record.title ?? '').includes(foldCase(title))) return false
  return shelf === undefined || (record.shelf ?? 'none') === shelf
}
