import type { MessageRecord, Shelf, TreeNode } from './stores/store.ts'
import { type Branch, branchesOf } from './branches.ts'
import type { History } from './history/history.ts'
import { type ConversationMetadata, parseMetadata } from './history/metadata.ts'
import { idOf, isUnfinished, numberOf, versionGroups, versionsOf, withoutSummaries } from './history/tree.ts'
import { type ConversationMessage, isShown, showMessage, titleOf } from './history/view.ts'
import type { TotalCost, TotalUsage } from './money/ledger.ts'
import type { ConversationSettings } from './settings.ts'
import type { ConversationState } from './turn/state.ts'

/** The part of a conversation that reads: itself, its messages, its tree and its usage. */
export class StoredConversation {
  readonly #state: ConversationState
  /** The messages that were shown, by their place on the active path. A record is parsed once. */
  readonly #shown: { record: MessageRecord; message: ConversationMessage }[] = []

  constructor(state: ConversationState) {
    this.#state = state
  }

  get id(): string {
    return this.#state.id
  }

  /** The title. Defaults to the first line of the first user message. */
  get title(): string | undefined {
    return this.#state.record.title ?? undefined
  }

  /** The user, team or tenant that the conversation belongs to. */
  get owner(): string | undefined {
    return this.#state.record.owner ?? undefined
  }

  /** The object that the program keeps with the conversation. */
  get metadata(): ConversationMetadata | undefined {
    return parseMetadata(this.#state.record.metadata)
  }

  /** The place in lists: above the others, or apart from them. Undefined: among the others. */
  get shelf(): Shelf | undefined {
    return this.#state.record.shelf ?? undefined
  }

  /** The settings of every request, such as model, system and tools. Frozen: `configure` changes them. */
  get settings(): ConversationSettings {
    return this.#state.settings
  }

  get createdAt(): Date {
    return new Date(this.#state.record.createdAt)
  }

  get updatedAt(): Date {
    return new Date(this.#state.record.updatedAt)
  }

  /** The id of the last message of the active path; undefined if there is none. */
  get head(): string | undefined {
    return idOf(this.#state.record.head)
  }

  /** The id of the reply that is arriving or whose tools run, in this or another process; undefined if there is none. */
  get receiving(): string | undefined {
    const { isReceiving, toolReplies, record } = this.#state
    return isReceiving || toolReplies.has(record.head) ? this.head : undefined
  }

  /**
   * The ids of the tool calls at the end that have no result yet. If no tool of the program runs them, `send()` takes their
   * results.
   */
  get waitingCalls(): readonly string[] {
    return this.#state.history.waitingCalls
  }

  /** The active path, without a reply that is still being received and without replies of which nothing arrived. */
  get messages(): ConversationMessage[] {
    return this.#state.history.records.filter(isShown).map((record, index) => this.#show(record, index))
  }

  /** The usage of all requests, including those of other branches and of interrupted and erased replies. */
  get usage(): TotalUsage {
    return this.#state.ledger.total
  }

  get cost(): TotalCost {
    return this.usage.cost
  }

  /** The versions of a message, made by `edit` and `retry`: the message itself and its siblings. */
  async versions(messageId: string): Promise<ConversationMessage[]> {
    const numbers = versionsOf(await treeOf(this.#state), this.id, numberOf(this.id, messageId))
    return (await this.#state.store.read(this.id, numbers)).map(showMessage)
  }

  /** The ids of the versions of every message that has several, by the id of each. */
  async versionIds(): Promise<ReadonlyMap<string, readonly string[]>> {
    return versionGroups(await treeOf(this.#state))
  }

  /**
   * The path to a message, with replies of which nothing arrived, and without one that is still being received. Default: the
   * active path.
   */
  async path(messageId?: string): Promise<ConversationMessage[]> {
    const { records } = await historyTo(this.#state, messageId)
    return records.filter(({ state }) => !isUnfinished(state)).map((record) => showMessage(record))
  }

  /** All messages of all branches, each after its parent. */
  async *tree(): AsyncGenerator<ConversationMessage> {
    for await (const record of this.#state.store.messages(this.id)) {
      if (record.role !== 'summary') yield showMessage(record)
    }
  }

  /** All paths through the tree, the most recently extended first. */
  async branches(): Promise<Branch[]> {
    return branchesOf(await treeOf(this.#state), this.#state.record.head)
  }

  /** Reads what other processes have written. */
  async refresh(): Promise<void> {
    await this.#state.refresh()
  }

  #show(record: MessageRecord, index: number): ConversationMessage {
    if (this.#shown[index]?.record !== record) this.#shown[index] = { record, message: showMessage(record) }
    return this.#shown[index].message
  }
}

/** All messages without their content, summaries aside. */
export async function treeOf({ store, id }: ConversationState): Promise<TreeNode[]> {
  return withoutSummaries(await store.tree(id))
}

/** The path to a message. Default: the active path. */
export async function historyTo(state: ConversationState, messageId: string | undefined): Promise<History> {
  if (messageId === undefined) return state.history
  const number = numberOf(state.id, messageId)
  const history = await state.historyTo(number)
  // A message that does not exist has no path.
  if (history.last?.number !== number) versionsOf([], state.id, number)
  return history
}

/** Erases a message and all that follow it, on every branch. The title is replaced if it is the first line of one of them. */
export async function eraseMessage(state: ConversationState, number: number): Promise<void> {
  const to = await historyTo(state, String(number))
  const { title, head } = state.record
  const isActive = state.history.countTo(number) > 0
  const first = firstLine(isActive ? state.history : to)
  if (title !== null && first?.title === title && first.number >= number) {
    const left = firstLine(isActive ? to.upToBefore(number) : state.history)?.title ?? null
    // Names the head, so that nothing changes while a reply is received.
    if (left !== title) await state.change(() => ({ title: left, head }))
  }
  await state.prune(number)
}

/** The default title of a path, and the number of the message that has it. */
function firstLine({ records }: History): { number: number; title: string | undefined } | undefined {
  const asked = records.find(({ role }) => role === 'user')
  return asked && { number: asked.number, title: titleOf([asked]) }
}
