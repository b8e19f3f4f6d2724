import { ConversationNotFoundError } from '../../errors.ts'
import { descendants, pathTo } from '../../history/tree.ts'
import { billingPart } from '../../money/spending.ts'
import { checkVersion } from '../conflict.ts'
import { recordOf } from '../new-conversation.ts'
import type {
  BeginStep,
  ConversationRecord,
  ConversationSummary,
  MessageRecord,
  NewConversation,
  RepeatedTurn,
} from '../store.ts'
import { addToTotals, noTotals } from '../totals.ts'

/** A message of a store in memory, in the order in which the messages of all conversations were added. */
export interface AddedMessage {
  conversation: MemoryConversation
  number: number
}

/** A conversation of a store in memory. */
export class MemoryConversation {
  record: ConversationRecord
  readonly messages: Map<number, MessageRecord>
  readonly #keys = new Map<string, number>()
  /** The billing data of erased replies. */
  readonly #erased: string[] = []
  readonly #log: AddedMessage[]
  #isDeleted = false

  /** @param log the messages of all conversations; this one adds its own. */
  constructor(added: NewConversation, log: AddedMessage[]) {
    this.#log = log
    this.record = recordOf(added)
    this.messages = new Map()
    for (const message of added.messages ?? []) this.add(message)
  }

  /** The messages from the beginning to the leaf. */
  path(leaf: number): MessageRecord[] {
    return pathTo(this.messages, leaf).map((message) => ({ ...message }))
  }

  offPathReplies(path: readonly MessageRecord[]): string[] {
    const onPath = new Set(path.map(({ number }) => number))
    const replies = [...this.messages.values()].filter(({ number }) => !onPath.has(number)).map(({ reply }) => reply)
    return [...this.#erased, ...replies.filter((reply) => reply !== null)]
  }

  /** The conversation as an entry of a list. */
  summary({ totals }: { totals: boolean }): Omit<ConversationSummary, 'receiving'> {
    const { id, owner, metadata, shelf, title, createdAt, updatedAt, version, last: messages } = this.record
    const summary = { id, owner, metadata, shelf, title, createdAt, updatedAt, version, messages }
    return totals ? { ...summary, totals: this.offPathReplies([]).reduce(addToTotals, noTotals) } : summary
  }

  repeated(key: string): RepeatedTurn | undefined {
    const message = this.#keys.get(key)
    if (message === undefined) return undefined
    const replies = [...this.messages.values()].filter((each) => each.parent === message && each.role === 'assistant')
    return { repeated: true, message, reply: { ...replies.at(-1)! } }
  }

  /** Yields all messages. Throws a `ConversationNotFoundError` if the conversation is deleted meanwhile. */
  *all(): Generator<MessageRecord> {
    for (const message of this.messages.values()) yield { ...message }
    if (this.#isDeleted) throw new ConversationNotFoundError(this.record.id)
  }

  /** Erases the messages, because the conversation is deleted. */
  erase(): void {
    this.#isDeleted = true
    this.messages.clear()
  }

  checkVersion(seen: number): void {
    checkVersion(this.record.id, this.record, seen)
  }

  checkMessage(number: number): void {
    if (number === 0 || this.messages.has(number)) return
    throw new ConversationNotFoundError(this.record.id, String(number))
  }

  /** Adds the messages of a turn and an empty one for its reply; returns the number of the reply. */
  begin({ parent, messages, key, title, role = 'assistant', at }: BeginStep): number {
    let number = this.record.last
    let follows = parent
    for (const message of messages) {
      this.add({ ...message, number: ++number, parent: follows, state: 'committed', createdAt: at })
      follows = number
    }
    if (key !== undefined) this.#keys.set(key, follows)
    this.add({ number: ++number, parent: follows, role, state: 'pending', createdAt: at, json: '' })
    this.change({
      last: number,
      head: role === 'summary' ? this.record.head : number,
      updatedAt: at,
      title: this.record.title ?? title ?? null,
    })
    return number
  }

  add(message: Omit<MessageRecord, 'received' | 'reply'> & Partial<MessageRecord>): void {
    this.messages.set(message.number, { received: null, reply: null, ...message })
    this.#log.push({ conversation: this, number: message.number })
  }

  /** Changes a message that exists. */
  amend(number: number, changes: Partial<MessageRecord>): void {
    this.messages.set(number, { ...this.messages.get(number)!, ...changes })
  }

  /** Erases a message and all that follow it; returns their numbers. */
  prune(number: number): Set<number> {
    const { parent } = this.messages.get(number)!
    const erased = descendants([...this.messages.values()], number)
    for (const each of erased) {
      const numbers = billingPart(this.messages.get(each)!.reply)
      if (numbers !== undefined) this.#erased.push(numbers)
      this.messages.delete(each)
    }
    const answered = new Set([...this.messages.values()].map((message) => message.parent))
    for (const [key, each] of this.#keys) if (!answered.has(each)) this.#keys.delete(key)
    this.change({ head: erased.has(this.record.head) ? parent : this.record.head })
    return erased
  }

  change(changes: Partial<ConversationRecord>): void {
    this.record = { ...this.record, ...changes, version: this.record.version + 1 }
  }
}
