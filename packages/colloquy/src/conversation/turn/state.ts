import { CachePlanner } from '../cache/cache-planner.ts'
import { ConversationConflictError } from '../errors.ts'
import { History } from '../history/history.ts'
import { Ledger } from '../money/ledger.ts'
import { openRecovered } from './recovery.ts'
import type { ConversationSettings } from '../settings.ts'
import type {
  Amounts,
  BegunTurn,
  ConversationChanges,
  ConversationRecord,
  ConversationStore,
  FinishStep,
  MessageRecord,
  OpenedConversation,
} from '../stores/store.ts'
import { type Summary, summaryIn } from '../history/reply-record.ts'
import { isUnfinished } from '../history/tree.ts'

/** As a store opens it, or one that was just made. */
type Opened = Omit<OpenedConversation, 'unfinished'> & Partial<OpenedConversation>

/** What a process knows of a conversation, and how it learns more. */
export class ConversationState {
  readonly store: ConversationStore
  record!: ConversationRecord
  /** The active path, without a reply that is still being received. */
  history!: History
  settings!: ConversationSettings
  ledger!: Ledger
  /** The settings of the last call that this process made, as JSON. */
  askedWith: string | undefined
  /** Of whatever path. */
  summaries: Summary[] = []
  readonly cache: CachePlanner = new CachePlanner()
  /** The turn that this process runs; it never rejects. */
  running: Promise<unknown> | undefined
  /** The end of a reply that the store could not take. It will be tried again before anything else is written. */
  #unkept: FinishStep | undefined
  /** What is held for replies that have not ended, by their numbers. */
  #held = new Map<number, Amounts>()
  #isReceiving = false
  #before: Promise<unknown> = Promise.resolve()

  constructor(store: ConversationStore, opened: Opened) {
    this.store = store
    this.#take(opened)
  }

  get id(): string {
    return this.record.id
  }

  /** A reply to the active path is being received, by whomever. */
  get isBusy(): boolean {
    return this.#isReceiving
  }

  /** What is held for calls under way, other processes' included. */
  get held(): Amounts {
    const sum = { picoUsd: 0n, tokens: 0n }
    for (const { picoUsd, tokens } of this.#held.values()) {
      sum.picoUsd += picoUsd
      sum.tokens += tokens
    }
    return sum
  }

  /** The message on which a new turn would stand if the one being received did not exist. */
  get settledHead(): number {
    if (!this.#isReceiving) return this.record.head
    return this.history.records.findLast(({ role }) => role === 'assistant')?.number ?? 0
  }

  async refresh(): Promise<void> {
    this.#take(await openRecovered(this.store, this.id))
  }

  async historyTo(number: number): Promise<History> {
    return this.history.to(number) ?? new History(await this.store.path(this.id, number))
  }

  /** Changes the conversation as it was last seen. When someone else changed it, it is seen anew and the change refused. */
  async change(makeChanges: () => Omit<ConversationChanges, 'at'>): Promise<void> {
    await this.#settled()
    await this.exclusively(async () => {
      const changes = makeChanges()
      if (changes.head !== undefined) this.#checkIdle()
      const at = Date.now()
      const history = changes.head === undefined ? this.history : await this.historyTo(changes.head)
      const version = await this.#seenAnew(() => this.store.update(this.id, this.record.version, { ...changes, at }))
      this.record = { ...this.record, ...changes, version, updatedAt: at }
      this.history = history
      if (changes.settings !== undefined) this.settings = parseSettings(changes.settings)
    })
  }

  /** Erases a message and what follows it. */
  async prune(number: number): Promise<void> {
    await this.#settled()
    await this.exclusively(async () => {
      this.#checkIdle()
      await this.#seenAnew(() => this.store.prune(this.id, this.record.version, number))
      await this.refresh()
    })
  }

  /** Does one thing after the other, so that this process's own changes are no conflict. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#before.then(work)
    this.#before = result.catch(() => {})
    return result
  }

  began({ version, reply }: BegunTurn, history: History, asked: readonly MessageRecord[], title: string | null): void {
    this.record = { ...this.record, version, head: reply, last: reply, title: this.record.title ?? title }
    if (history === this.history) for (const message of asked) history.push(message)
    else this.history = new History([...history.records, ...asked])
    this.#isReceiving = true
  }

  /** Something is held for a reply until it has ended. */
  hold(reply: number, amounts: Amounts): void {
    this.#held.set(reply, amounts)
  }

  /** A reply ended and is kept. */
  async ended(begun: number, reply: MessageRecord): Promise<void> {
    if (reply.reply !== null) this.ledger.add(reply.reply)
    this.#held.delete(begun)
    // Another writer gave the turn up, or the conversation went on elsewhere meanwhile.
    if (this.record.head !== begun || reply.number !== begun) return this.refresh()
    this.history.push(reply)
    this.#isReceiving = false
  }

  /** A summary ended, by whatever outcome, and is kept. */
  summarized(begun: number, reply: string): void {
    this.ledger.add(reply)
    this.#held.delete(begun)
    const summary = summaryIn(reply)
    if (summary !== undefined) this.summaries.push(summary)
  }

  /** Keeps the end of a reply, or remembers it where the store refuses. Returns the reply's number. */
  async keep(end: FinishStep): Promise<number> {
    try {
      return (await this.store.finish(end)).number
    } catch (error) {
      this.#unkept = end
      throw error
    }
  }

  async keepUnkept(): Promise<void> {
    if (this.#unkept === undefined) return
    await this.store.finish(this.#unkept)
    this.#unkept = undefined
    await this.refresh()
  }

  async #settled(): Promise<void> {
    await this.keepUnkept()
    if (this.#isReceiving && this.running === undefined) await this.refresh()
  }

  #checkIdle(): void {
    if (this.#isReceiving || this.running !== undefined) throw this.conflict('busy')
  }

  /** Runs a step that someone else's writing may forestall; then the conversation is seen anew and the error passed on. */
  async #seenAnew<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step()
    } catch (error) {
      if (error instanceof ConversationConflictError) await this.refresh()
      throw error
    }
  }

  conflict(reason: 'moved' | 'busy'): ConversationConflictError {
    const { head } = this.record
    return new ConversationConflictError(this.id, reason, head === 0 ? undefined : String(head))
  }

  #take({ conversation, messages, offPathReplies, unfinished = [] }: Opened): void {
    this.record = conversation
    this.settings = parseSettings(conversation.settings)
    this.ledger = new Ledger(messages)
    for (const reply of offPathReplies) this.ledger.add(reply)
    this.summaries = offPathReplies.map(summaryIn).filter((summary) => summary !== undefined)
    this.#held = new Map(unfinished.map(({ number, reserved }) => [number, reserved]))
    // Only the head can be unfinished: nobody goes on from a reply that has not ended.
    const last = messages.at(-1)
    this.#isReceiving = last !== undefined && isUnfinished(last.state)
    this.history = new History(this.#isReceiving ? messages.slice(0, -1) : messages)
  }
}

function parseSettings(json: string): ConversationSettings {
  return Object.freeze(JSON.parse(json)) as ConversationSettings
}
