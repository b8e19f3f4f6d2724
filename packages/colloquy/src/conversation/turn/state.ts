import { CachePlanner } from '../cache/cache-planner.ts'
import { ConversationConflictError, StoreError } from '../errors.ts'
import { History } from '../history/history.ts'
import { type ReplyRecord, type Summary, summaryIn } from '../history/reply-record.ts'
import { newRecord } from '../history/records.ts'
import { idOf, isUnfinished } from '../history/tree.ts'
import { Ledger } from '../money/ledger.ts'
import { sumOf } from '../money/spending.ts'
import type { ConversationSettings } from '../settings.ts'
import type {
  Amounts,
  BegunTurn,
  ConversationChanges,
  ConversationRecord,
  ConversationStore,
  MessageRecord,
  OpenedConversation,
  Reservation,
} from '../stores/store.ts'
import type { BegunRequest, RequestToBegin } from './request/begun.ts'
import { FinishQueue } from './request/finish-queue.ts'
import { openRecovered } from './request/recovery.ts'
import type { RunningTurns } from './stream/running-turns.ts'

/** A conversation as a store opens it, or one that was just created. */
type Opened = Omit<OpenedConversation, 'unfinished'> & Partial<OpenedConversation>

/** Whether something is happening in a conversation that keeps other writers waiting. */
export type Activity =
  | { type: 'idle' }
  /** This process runs a turn. */
  | { type: 'running' }
  /** A reply has ended, and the store failed to record that. It is recorded before anything else is written. */
  | { type: 'unrecorded' }
  /** Another process is receiving a reply or runs its tools, or a turn here does that another one branched off. */
  | { type: 'receiving' }

/** The circumstances in which a request began. */
interface Beginning {
  /** In milliseconds since 1970. */
  at: number
  reservation: Reservation | undefined
  promptSettings: string | undefined
}

/** The conversation as this process knows it. Turns change it at two points: when a request has begun and when it has ended. */
export class ConversationState {
  readonly store: ConversationStore
  readonly finishes: FinishQueue
  /** The numbers of the replies whose tools run, in this or another process, as far as it is known. */
  readonly toolReplies: Set<number> = new Set()
  readonly cache: CachePlanner = new CachePlanner()
  readonly ownTurns: OwnTurns = new OwnTurns()
  /** Makes changes of this process wait for each other, so that they do not conflict. */
  readonly changes: Queue = new Queue()
  readonly #turns: RunningTurns
  #record!: ConversationRecord
  #history!: History
  #settings: ConversationSettings | undefined
  #ledger!: Ledger
  #summaries: Summary[] = []
  #lastPromptSettings: string | undefined
  /** The reservations of replies that have not ended, by the reply's number. */
  #reservations = new Map<number, Amounts>()

  /** @param config `turns`: those that run in this process. */
  constructor(store: ConversationStore, opened: Opened, { turns }: { turns: RunningTurns }) {
    this.store = store
    this.#turns = turns
    this.finishes = new FinishQueue(store)
    this.#take(opened)
  }

  get id(): string {
    return this.#record.id
  }

  get record(): Readonly<ConversationRecord> {
    return this.#record
  }

  /** The active path, without a reply that is still being received. */
  get history(): History {
    return this.#history
  }

  /** The settings. Throws a `StoreError` if they are damaged. */
  get settings(): ConversationSettings {
    return (this.#settings ??= parseSettings(this.#record))
  }

  get ledger(): Ledger {
    return this.#ledger
  }

  /** The summaries of the conversation, on all paths. */
  get summaries(): readonly Summary[] {
    return this.#summaries
  }

  /** The prompt settings of this process's last request with limits, as JSON. */
  get lastPromptSettings(): string | undefined {
    return this.#lastPromptSettings
  }

  /** The reservations of requests in flight, including those of other processes. */
  get reserved(): Amounts {
    return sumOf(this.#reservations.values())
  }

  get activity(): Activity {
    if (!this.ownTurns.isEmpty) return { type: 'running' }
    if (!this.finishes.isEmpty) return { type: 'unrecorded' }
    return { type: this.isReceiving || this.toolReplies.size > 0 ? 'receiving' : 'idle' }
  }

  /** Whether the active path ends in a reply that has not ended: it is the head, and not yet part of the history. */
  get isReceiving(): boolean {
    return this.#record.head !== (this.#history.last?.number ?? 0)
  }

  /** The message that a new turn would follow if the reply that is being received did not exist. */
  get settledHead(): number {
    if (!this.isReceiving) return this.#record.head
    return this.#history.records.findLast(({ role }) => role === 'assistant')?.number ?? 0
  }

  conflict(reason: 'moved' | 'busy'): ConversationConflictError {
    return new ConversationConflictError(this.id, reason, idOf(this.#record.head))
  }

  /** Reads the conversation from the store again. */
  async refresh(): Promise<void> {
    this.#take(await openRecovered(this.store, this.id, { turns: this.#turns }))
  }

  async historyTo(number: number): Promise<History> {
    return this.#history.upTo(number) ?? new History(await this.store.path(this.id, number))
  }

  /** A request has begun. Returns the history that its reply will follow. */
  began(request: RequestToBegin, begun: BegunTurn, { at, reservation, promptSettings }: Beginning): History {
    const { version, reply } = begun
    if (reservation) this.#reservations.set(reply, reservation)
    if (request.role === 'summary') {
      this.#record = { ...this.#record, version, last: reply }
      return request.history
    }
    this.#record = { ...this.#record, version, head: reply, last: reply }
    this.#record.title ??= request.title ?? null
    this.#lastPromptSettings = promptSettings
    this.#extend(request.history, recordsOf(request, begun.first, at))
    return this.#history
  }

  /**
   * A request has ended and its reply is recorded.
   *
   * @param reply the record of its reply.
   * @param about the facts in that record, if they are at hand.
   */
  ended(
    { role, reply: begun }: Pick<BegunRequest, 'role' | 'reply'>,
    reply: MessageRecord,
    about: ReplyRecord | undefined,
  ): Promise<void> | undefined {
    if (reply.reply !== null) this.#ledger.add(reply.reply)
    this.#reservations.delete(begun)
    const summary = about === undefined ? summaryIn(reply.reply) : about.summary
    if (summary !== undefined) this.#summaries.push(summary)
    if (role === 'summary') return undefined
    // Another process took the reply for abandoned, or the conversation continued on another branch.
    if (this.#record.head !== begun || reply.number !== begun) return this.refresh()
    this.#extend(this.#history, [reply], about)
    return undefined
  }

  /** Makes a history and messages after it the active path. It stays as it is if another turn, which branches off, may send it. */
  #extend(history: History, messages: readonly MessageRecord[], about?: ReplyRecord): void {
    const isShared = history !== this.#history || !this.ownTurns.isAlone
    if (isShared) this.#history = new History([...history.records, ...messages])
    else for (const message of messages) history.push(message, about)
  }

  /** Records the ends of replies that the store failed to record before. */
  async finishUnrecorded(): Promise<void> {
    if (this.finishes.isEmpty) return
    await this.finishes.retry()
    await this.refresh()
  }

  /** Changes the conversation as this process knows it. If another writer changed it, refreshes and throws the conflict. */
  async change(makeChanges: () => Omit<ConversationChanges, 'at'>): Promise<void> {
    await this.#settle()
    await this.changes.run(async () => {
      const changes = makeChanges()
      if (changes.head !== undefined) this.#checkIdle()
      // A conversation that is only pinned or archived was not used.
      const isMoved = Object.keys(changes).join() === 'shelf'
      const at = isMoved ? this.#record.updatedAt : Date.now()
      const history = changes.head === undefined ? this.#history : await this.historyTo(changes.head)
      const version = await refreshOnConflict(this, () =>
        this.store.update(this.id, this.#record.version, { ...changes, at }),
      )
      this.#record = { ...this.#record, ...changes, version, updatedAt: at }
      this.#history = history
      if (changes.settings !== undefined) this.#settings = undefined
    })
  }

  /** Erases a message and all that follow it. */
  async prune(number: number): Promise<void> {
    await this.#settle()
    await this.changes.run(async () => {
      this.#checkIdle()
      await refreshOnConflict(this, () => this.store.prune(this.id, this.#record.version, number))
      const left = this.#history.countTo(number) > 0 ? this.#history.upToBefore(number) : this.#history
      // They are erased. If the rest cannot be read, the next turn or change reads it, as the head is not the last message.
      await this.refresh().catch(() => (this.#history = left))
    })
  }

  async #settle(): Promise<void> {
    await this.finishUnrecorded()
    if (this.activity.type === 'receiving') await this.refresh()
  }

  #checkIdle(): void {
    if (this.activity.type !== 'idle') throw this.conflict('busy')
  }

  #take({ conversation, messages, offPathReplies, unfinished = [] }: Opened): void {
    this.#record = conversation
    this.#settings = undefined
    this.#ledger = new Ledger([...messages, ...offPathReplies.map((reply) => ({ reply }))])
    this.#summaries = offPathReplies.map(summaryIn).filter((summary) => summary !== undefined)
    this.toolReplies.clear()
    for (const { number, awaitsTools } of unfinished) if (awaitsTools) this.toolReplies.add(number)
    this.#reservations = new Map(unfinished.map(({ number, reserved }) => [number, reserved]))
    // Only the last message can be an unfinished reply: no turn continues from one.
    const isReceiving = isUnfinished(messages.at(-1)?.state ?? 'committed')
    this.#history = new History(isReceiving ? messages.slice(0, -1) : messages)
  }
}

/** Changes the store. If another writer was faster, refreshes the conversation and throws the conflict. */
async function refreshOnConflict<T>(state: ConversationState, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    if (error instanceof ConversationConflictError) await state.refresh()
    throw error
  }
}

/** The turns that this process runs in a conversation: several if they branch off from each other. */
class OwnTurns {
  #count = 0
  #nextEnd: PromiseWithResolvers<void> | undefined

  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** Whether there is at most one. */
  get isAlone(): boolean {
    return this.#count <= 1
  }

  /** Resolves when one of the turns ends. Never rejects. */
  get nextEnd(): Promise<void> {
    return (this.#nextEnd ??= Promise.withResolvers<void>()).promise
  }

  /** Starts a turn. Returns the function that ends it. */
  start(): () => void {
    this.#count++
    return () => {
      this.#count--
      this.#nextEnd?.resolve()
      this.#nextEnd = undefined
    }
  }
}

/** The records of the messages that a request added. */
function recordsOf({ messages, parent }: RequestToBegin, first: number, at: number): MessageRecord[] {
  const records: MessageRecord[] = []
  let number = first
  let follows = parent
  for (const { role, json } of messages) {
    records.push(newRecord({ number, parent: follows, role, createdAt: at, json }))
    follows = number++
  }
  return records
}

function parseSettings({ id, settings }: ConversationRecord): ConversationSettings {
  if (settings !== '') return Object.freeze(JSON.parse(settings)) as ConversationSettings
  throw new StoreError('damaged', `Cannot read the settings of conversation ${id}: they are damaged`)
}

/** Lets in one after the other, in the order in which they come. */
class Queue {
  readonly #waiting: (() => void)[] = []
  #isBusy = false

  /** Runs work when all earlier work has ended. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const entering = this.enter()
    if (entering !== undefined) await entering
    try {
      return await work()
    } finally {
      this.leave()
    }
  }

  /** Waits until all before have left. Undefined if the queue is empty. */
  enter(): Promise<void> | undefined {
    if (this.#isBusy) return new Promise((start) => this.#waiting.push(start))
    this.#isBusy = true
    return undefined
  }

  leave(): void {
    const next = this.#waiting.shift()
    // The queue stays busy for the next one.
    if (next === undefined) this.#isBusy = false
    else next()
  }
}
