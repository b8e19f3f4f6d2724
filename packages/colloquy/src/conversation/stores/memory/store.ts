import { ConversationConflictError, ConversationNotFoundError, StoreError } from '../../errors.ts'
import { MemorySpending } from './spending.ts'
import { markUnbilled } from '../../history/reply-record.ts'
import { correctionEntry, reservationEntry, billingPart, settlementEntry, usageOf } from '../../money/spending.ts'
import { excerptOf, textOf } from '../../history/text.ts'
import type {
  Account,
  BeginStep,
  BegunTurn,
  ConversationChanges,
  ConversationRecord,
  ConversationStore,
  ConversationSummary,
  FinishedTurn,
  FinishStep,
  Reservation,
  JournalStep,
  MessageRecord,
  MessageState,
  NewConversation,
  OpenedConversation,
  RepeatedTurn,
  SearchHit,
  Spending,
  TreeNode,
} from '../store.ts'
import { descendants, isUnfinished, pathTo } from '../../history/tree.ts'

export interface MemoryStoreOptions {
  /** How long a turn may be silent before it counts as abandoned. Default 30,000. */
  leaseMs?: number
  /** Milliseconds since 1970. Default `Date.now`. */
  now?: () => number
}

/** Keeps conversations until the process ends: for tests, and for programs that need no more. */
export function memoryStore(options: MemoryStoreOptions = {}): ConversationStore {
  return new MemoryStore(options)
}

interface Kept {
  record: ConversationRecord
  messages: Map<number, MessageRecord>
  keys: Map<string, number>
  /** What was used by replies that were erased. */
  erased: string[]
}

interface Lease {
  kept: Kept
  number: number
  until: number
  journal: string[]
  reservation: Reservation
}

const noReservation: Reservation = { picoUsd: 0n, tokens: 0n, accounts: [] }

class MemoryStore implements ConversationStore {
  readonly heartbeatMs: number
  readonly now: () => number
  readonly #leaseMs: number
  readonly #spending = new MemorySpending()
  readonly #conversations = new Map<string, Kept>()
  readonly #leases = new Map<number, Lease>()
  // A reply whose turn was given up may still end: by its handle it finds where it belongs.
  readonly #handles = new Map<number, { kept: Kept; number: number }>()
  #lastHandle = 0
  #closed = false

  constructor({ leaseMs = 30_000, now = Date.now }: MemoryStoreOptions) {
    this.#leaseMs = leaseMs
    this.heartbeatMs = leaseMs / 3
    this.now = now
  }

  async create({ id, title, settings, at, messages = [], head = 0 }: NewConversation): Promise<ConversationRecord> {
    this.#checkOpen()
    if (this.#conversations.has(id)) throw new StoreError('failed', `Cannot create conversation ${id}: it exists`)
    const record = {
      id,
      version: 1,
      head,
      last: messages.at(-1)?.number ?? 0,
      createdAt: at,
      updatedAt: at,
      title,
      settings,
    }
    const byNumber = new Map(messages.map((message) => [message.number, { ...message }]))
    this.#conversations.set(id, { record, messages: byNumber, keys: new Map(), erased: [] })
    return { ...record }
  }

  async open(id: string): Promise<OpenedConversation | undefined> {
    this.#checkOpen()
    const kept = this.#conversations.get(id)
    if (kept === undefined) return undefined
    const path = this.#path(kept, kept.record.head)
    const onPath = new Set(path.map(({ number }) => number))
    const offPathReplies: string[] = [...kept.erased]
    for (const { number, reply } of kept.messages.values()) {
      if (reply !== null && !onPath.has(number)) offPathReplies.push(reply)
    }
    const unfinished = [...this.#leases]
      .filter(([, lease]) => lease.kept === kept)
      .map(
        ([
          handle,
          {
            number,
            until,
            journal,
            reservation: { picoUsd, tokens },
          },
        ]) => {
          const parent = kept.messages.get(number)!.parent
          const abandoned = until < this.now()
          return { handle, number, parent, abandoned, journal: [...journal], reserved: { picoUsd, tokens } }
        },
      )
    return { conversation: { ...kept.record }, messages: path, offPathReplies, unfinished }
  }

  async path(id: string, leaf: number): Promise<MessageRecord[]> {
    return this.#path(this.#find(id), leaf)
  }

  async tree(id: string): Promise<TreeNode[]> {
    return [...this.#find(id).messages.values()].map(({ json: _, received: __, ...node }) => node)
  }

  async read(id: string, numbers: readonly number[]): Promise<MessageRecord[]> {
    const { messages } = this.#find(id)
    return [...messages.values()].filter(({ number }) => numbers.includes(number)).map((message) => ({ ...message }))
  }

  async *messages(id: string): AsyncIterable<MessageRecord> {
    for (const message of this.#find(id).messages.values()) yield { ...message }
  }

  async find(id: string, key: string): Promise<RepeatedTurn | undefined> {
    return this.#repeated(this.#find(id), key)
  }

  async begin({
    id,
    version,
    parent,
    messages,
    key,
    title,
    role: itsRole = 'assistant',
    reservation = noReservation,
    at,
  }: BeginStep): Promise<BegunTurn | RepeatedTurn> {
    const kept = this.#find(id)
    const repeated = key === undefined ? undefined : this.#repeated(kept, key)
    if (repeated !== undefined) return repeated
    this.#checkVersion(kept, version)
    this.#checkMessage(kept, parent)
    this.#spending.enterChecked(reservation.accounts, reservationEntry(reservation), reservation)
    const first = kept.record.last + 1
    let number = kept.record.last
    let follows = parent
    for (const { role, json } of messages) {
      number++
      this.#add(kept, { number, parent: follows, role, state: 'committed', createdAt: at, json })
      follows = number
    }
    if (key !== undefined) kept.keys.set(key, follows)
    number++
    this.#add(kept, { number, parent: follows, role: itsRole, state: 'pending', createdAt: at, json: '' })
    const handle = ++this.#lastHandle
    this.#leases.set(handle, { kept, number, until: this.now() + this.#leaseMs, journal: [], reservation })
    this.#handles.set(handle, { kept, number })
    const record = kept.record
    this.#change(kept, {
      last: number,
      head: itsRole === 'summary' ? record.head : number,
      updatedAt: at,
      title: record.title ?? title ?? null,
    })
    return { repeated: false, version: kept.record.version, first, reply: number, handle }
  }

  async journal({ handle, json }: JournalStep): Promise<void> {
    this.#checkOpen()
    const lease = this.#leases.get(handle)
    if (lease === undefined) return
    lease.until = this.now() + this.#leaseMs
    if (json === '') return
    lease.journal.push(json)
    this.#setState(lease.kept, lease.number, 'streaming')
  }

  async finish(step: FinishStep): Promise<FinishedTurn> {
    this.#checkOpen()
    const { id, handle, state, json, received, reply, at, recovering = false, accounts = [] } = step
    const place = this.#handles.get(handle)
    const before = place?.kept.messages.get(place.number)
    if (place === undefined || before === undefined) {
      throw new ConversationNotFoundError(id)
    }
    if (state !== 'awaiting_tools' && !recovering) this.#handles.delete(handle)
    const { kept, number } = place
    if (isUnfinished(before.state)) {
      kept.messages.set(number, { ...before, state, json, received, reply })
      if (state !== 'awaiting_tools') this.#settle(handle, reply)
      return { number }
    }
    if (recovering) return { number }
    const correction = correctionEntry(before.reply!, reply)
    if (correction !== undefined) this.#spending.enter(accounts, correction)
    kept.messages.set(number, { ...before, reply: markUnbilled(before.reply) })
    const late = kept.record.last + 1
    this.#add(kept, { ...before, number: late, state, createdAt: at, json }, received, reply)
    this.#change(kept, { last: late, head: kept.record.head === number ? late : kept.record.head, updatedAt: at })
    return { number: late }
  }

  async update(id: string, version: number, { at, ...changes }: ConversationChanges): Promise<number> {
    const kept = this.#find(id)
    this.#checkVersion(kept, version)
    if (changes.head !== undefined) this.#checkMessage(kept, changes.head)
    this.#change(kept, { ...changes, updatedAt: at })
    return kept.record.version
  }

  async prune(id: string, version: number, number: number): Promise<number> {
    const kept = this.#find(id)
    this.#checkVersion(kept, version)
    this.#checkMessage(kept, number)
    const { parent } = kept.messages.get(number)!
    const gone = descendants([...kept.messages.values()], number)
    for (const each of gone) {
      const numbers = billingPart(kept.messages.get(each)!.reply)
      if (numbers !== undefined) kept.erased.push(numbers)
      kept.messages.delete(each)
    }
    for (const [handle, lease] of this.#leases) {
      if (lease.kept === kept && gone.has(lease.number)) this.#settle(handle)
    }
    const answered = new Set([...kept.messages.values()].map((message) => message.parent))
    for (const [key, each] of kept.keys) if (!answered.has(each)) kept.keys.delete(key)
    this.#change(kept, { head: gone.has(kept.record.head) ? parent : kept.record.head })
    return kept.record.version
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
    const abandoned = [...this.#leases.values()].filter(
      ({ until, reservation }) => until < this.now() && reservation.accounts.length > 0,
    )
    return [...new Set(abandoned.map(({ kept }) => kept.record.id))]
  }

  async list({ limit, before }: { limit: number; before?: string | undefined }): Promise<ConversationSummary[]> {
    this.#checkOpen()
    // Stable, so of those used in the same millisecond the newer comes first.
    const records = [...this.#conversations.values()]
      .map(({ record }) => record)
      .toReversed()
      .toSorted((a, b) => b.updatedAt - a.updatedAt)
    const start = before === undefined ? 0 : records.findIndex(({ id }) => id === before) + 1
    if (before !== undefined && start === 0) throw new ConversationNotFoundError(before)
    return records.slice(start, start + limit).map(({ id, title, createdAt, updatedAt, last }) => {
      return { id, title, createdAt, updatedAt, messages: last }
    })
  }

  async search(words: readonly string[], { limit }: { limit: number }): Promise<SearchHit[]> {
    this.#checkOpen()
    const hits: SearchHit[] = []
    for (const { record, messages } of this.#conversations.values()) {
      for (const { number, role, createdAt, json, received } of messages.values()) {
        if (role === 'summary') continue
        const text = textOf(received ?? json)
        const folded = text.toLowerCase()
        if (!words.every((word) => folded.includes(word.toLowerCase()))) continue
        const excerpt = excerptOf(text, words[0]!)
        hits.push({ conversationId: record.id, title: record.title, number, role, createdAt, excerpt })
      }
    }
    return hits.toSorted((a, b) => b.createdAt - a.createdAt || b.number - a.number).slice(0, limit)
  }

  async delete(id: string): Promise<boolean> {
    this.#checkOpen()
    for (const [handle, { kept }] of this.#leases) if (kept.record.id === id) this.#settle(handle)
    for (const [handle, { kept }] of this.#handles) if (kept.record.id === id) this.#handles.delete(handle)
    return this.#conversations.delete(id)
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #find(id: string): Kept {
    this.#checkOpen()
    const kept = this.#conversations.get(id)
    if (kept === undefined) throw new ConversationNotFoundError(id)
    return kept
  }

  #checkOpen(): void {
    if (this.#closed) throw new StoreError('closed', 'Cannot use the store: it is closed')
  }

  #checkVersion({ record }: Kept, version: number): void {
    if (record.version === version) return
    throw new ConversationConflictError(record.id, 'moved', record.head === 0 ? undefined : String(record.head))
  }

  #checkMessage({ record, messages }: Kept, number: number): void {
    if (number !== 0 && !messages.has(number)) throw new ConversationNotFoundError(record.id, String(number))
  }

  /** The reply is under way no more. Where nobody will know what it used, it is what was held. */
  #settle(handle: number, reply?: string): void {
    const lease = this.#leases.get(handle)
    this.#leases.delete(handle)
    if (lease === undefined || lease.reservation.accounts.length === 0) return
    this.#spending.enter(
      lease.reservation.accounts,
      settlementEntry(lease.reservation, reply === undefined ? lease.reservation : usageOf(reply)),
    )
  }

  #repeated(kept: Kept, key: string): RepeatedTurn | undefined {
    const message = kept.keys.get(key)
    if (message === undefined) return undefined
    const replies = [...kept.messages.values()].filter((each) => each.parent === message && each.role === 'assistant')
    return { repeated: true, message, reply: { ...replies.at(-1)! } }
  }

  #path({ messages }: Kept, leaf: number): MessageRecord[] {
    return pathTo(messages, leaf).map((message) => ({ ...message }))
  }

  #add(
    kept: Kept,
    message: Omit<MessageRecord, 'received' | 'reply'>,
    received: string | null = null,
    reply: string | null = null,
  ): void {
    kept.messages.set(message.number, { ...message, received, reply })
  }

  #setState(kept: Kept, number: number, state: MessageState): void {
    const message = kept.messages.get(number)
    if (message !== undefined) kept.messages.set(number, { ...message, state })
  }

  #change(kept: Kept, changes: Partial<ConversationRecord>): void {
    kept.record = { ...kept.record, ...changes, version: kept.record.version + 1 }
  }
}
