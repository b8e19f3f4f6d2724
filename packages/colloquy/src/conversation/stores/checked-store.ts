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
  SearchHit,
  SearchQuery,
  Spending,
  TreeNode,
} from './store.ts'
import { searchWords, storable, storableName, storableOwner } from './text.ts'

/**
 * Gives a store the same rules for text as every other store: NUL and halves of surrogate pairs are replaced by U+FFFD in
 * all arguments, and names and searches that are too long are refused.
 */
export class CheckedStore implements ConversationStore {
  readonly heartbeatMs: number
  readonly now: () => number
  readonly stamp?: () => Promise<string>
  readonly #store: ConversationStore

  constructor(store: ConversationStore) {
    this.#store = store
    if (store.stamp) this.stamp = () => store.stamp!()
    this.heartbeatMs = store.heartbeatMs
    this.now = store.now
  }

  async create(added: NewConversation): Promise<ConversationRecord> {
    const { id, owner, metadata, title, settings, messages } = added
    return this.#store.create({
      ...added,
      id: storableName('id', id),
      owner: owner == null ? owner : storableName('owner', owner),
      metadata: storable(metadata),
      title: storable(title),
      settings: storable(settings),
      ...(messages && { messages: messages.map(storableRecord) }),
    })
  }

  open(id: string, options?: OpenOptions): Promise<OpenedConversation | undefined> {
    return this.#store.open(storable(id), options)
  }

  path(id: string, leaf: number): Promise<MessageRecord[]> {
    return this.#store.path(storable(id), leaf)
  }

  read(id: string, numbers: readonly number[]): Promise<MessageRecord[]> {
    return this.#store.read(storable(id), numbers)
  }

  tree(id: string): Promise<TreeNode[]> {
    return this.#store.tree(storable(id))
  }

  messages(id: string): AsyncIterable<MessageRecord> {
    return this.#store.messages(storable(id))
  }

  find(id: string, key: string): Promise<RepeatedTurn | undefined> {
    return this.#store.find(storable(id), storable(key))
  }

  async begin(step: BeginStep): Promise<BegunTurn | RepeatedTurn> {
    const { id, version, parent, messages, role, key, title, reservation, at } = step
    const checked: Complete<BeginStep> = {
      id: storable(id),
      version,
      parent,
      messages: storableMessages(messages),
      role,
      key: key === undefined ? undefined : storableName('key', key),
      title: storable(title),
      reservation: reservation && { ...reservation, accounts: reservation.accounts.map(storableAccount) },
      at,
    }
    return await this.#store.begin(checked)
  }

  journal(step: JournalStep): Promise<boolean> {
    return this.#store.journal({ ...step, json: storable(step.json) })
  }

  received(id: string, number: number, from: number): Promise<ReceivedParts | undefined> {
    return this.#store.received(storable(id), number, from)
  }

  release(handle: number): Promise<boolean> {
    return this.#store.release(handle)
  }

  stop(id: string): Promise<number[]> {
    return this.#store.stop(storable(id))
  }

  async finish(step: FinishStep): Promise<FinishedTurn> {
    const { id, handle, state, json, received, reply, continues, accounts, recovering, at } = step
    const checked: Complete<FinishStep> = {
      id: storable(id),
      handle,
      state,
      json: storable(json),
      received: storable(received),
      reply: storable(reply),
      continues,
      accounts: accounts?.map(storableAccount),
      recovering,
      at,
    }
    return await this.#store.finish(checked)
  }

  async update(id: string, version: number, changes: ConversationChanges): Promise<number> {
    const { owner, metadata, title, settings } = changes
    return this.#store.update(storable(id), version, {
      ...changes,
      ...(owner !== undefined && { owner: owner === null ? null : storableName('owner', owner) }),
      ...(metadata !== undefined && { metadata: storable(metadata) }),
      ...(title !== undefined && { title: storable(title) }),
      ...(settings !== undefined && { settings: storable(settings) }),
    })
  }

  prune(id: string, version: number, number: number): Promise<number> {
    return this.#store.prune(storable(id), version, number)
  }

  spending({ user, day }: Account): Promise<Spending> {
    return this.#store.spending({ user: storable(user), day: storable(day) })
  }

  abandonedReservations(): Promise<string[]> {
    return this.#store.abandonedReservations()
  }

  forgetDays(before: string): Promise<void> {
    return this.#store.forgetDays(storable(before))
  }

  async list(query: ListQuery): Promise<ConversationSummary[]> {
    const before = query.before && { ...query.before, id: storable(query.before.id) }
    return this.#store.list({ ...query, before, title: storable(query.title), owner: storableOwner(query.owner) })
  }

  async search(words: readonly string[], query: SearchQuery): Promise<SearchHit[]> {
    const folded = searchWords(words)
    const owner = storableOwner(query.owner)
    return folded.length === 0 ? [] : this.#store.search(folded, { ...query, owner })
  }

  async integrity(): Promise<string[]> {
    return (await this.#store.integrity?.()) ?? []
  }

  delete(id: string, options?: DeleteOptions): Promise<boolean> {
    return this.#store.delete(storable(id), options)
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}

/** A step that names all members, so that the compiler finds one that was forgotten. */
type Complete<Step> = { [Name in keyof Required<Step>]: Step[Name] }

function storableMessages(messages: BeginStep['messages']): BeginStep['messages'] {
  const checked: { role: string; json: string }[] = []
  for (const { role, json } of messages) checked.push({ role: storable(role), json: storable(json) })
  return checked
}

function storableRecord(message: MessageRecord): MessageRecord {
  const { role, json, received, reply } = message
  return {
    ...message,
    role: storable(role),
    json: storable(json),
    received: storable(received),
    reply: storable(reply),
  }
}

function storableAccount<Named extends Account>(account: Named): Named {
  // The empty name stands for all users.
  const user = account.user === '' ? '' : storableName('user', account.user)
  return { ...account, user, day: storable(account.day) }
}
