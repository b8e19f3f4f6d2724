import { type UpstreamClient, upstream } from '../engines/upstream.ts'
import type { Engine } from '../protocol/engine.ts'
import { AnthropicError } from '../protocol/error.ts'
import { Conversation } from './conversation.ts'
import { ConversationNotFoundError } from './errors.ts'
import { newConversationId } from './id.ts'
import { memoryStore } from './memory.ts'
import { openRecovered } from './recovery.ts'
import { type ConversationSettings, checkSettings } from './settings.ts'
import { ConversationState } from './state.ts'
import type { ConversationStore } from './store.ts'
import { type FoundMessage, type ListedConversation, showFound, showListed } from './view.ts'

export interface ConversationsOptions {
  /** Whom to ask: a client, this library's or the official one. */
  client?: UpstreamClient
  /** Whom to ask, instead of a client. */
  engine?: Engine
  /** Where conversations are kept. Default: in memory, until the process ends. */
  store?: ConversationStore
}

export interface CreateOptions extends ConversationSettings {
  /** Default: the first line that is said. */
  title?: string
}

export interface ListOptions {
  /** Default 50. */
  limit?: number
  /** The id of the last conversation of the page before. */
  before?: string
}

export interface Conversations {
  create(options: CreateOptions): Promise<Conversation>
  /** Throws a `ConversationNotFoundError` where there is none. A reply whose process died is ended first. */
  open(id: string): Promise<Conversation>
  /** The last used first. */
  list(options?: ListOptions): Promise<ListedConversation[]>
  /** The messages that hold every word of the query, the newest first. Default limit 20. */
  search(query: string, options?: { limit?: number }): Promise<FoundMessage[]>
  /** Erases the conversation. Throws a `ConversationNotFoundError` where there is none. */
  delete(id: string): Promise<void>
  /** Closes the store. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Opens the conversations of a store. Throws an `AnthropicError` unless there is one of `client` and `engine`. */
export function openConversations({ client, engine, store = memoryStore() }: ConversationsOptions): Conversations {
  const ask = engineOf(client, engine)
  async function open(id: string): Promise<Conversation> {
    return new Conversation(new ConversationState(store, await openRecovered(store, id)), ask)
  }

  return {
    open,
    async create({ title, ...settings }) {
      checkSettings(settings)
      const at = Date.now()
      const id = newConversationId(at)
      const conversation = await store.create({ id, title: title ?? null, settings: JSON.stringify(settings), at })
      return new Conversation(new ConversationState(store, { conversation, messages: [], elsewhere: [] }), ask)
    },
    async list({ limit = 50, before } = {}) {
      return (await store.list({ limit: positive('limit', limit), before })).map(showListed)
    },
    async search(query, { limit = 20 } = {}) {
      const words = query.split(/\s+/).filter((word) => word !== '')
      const found = words.length === 0 ? [] : await store.search(words, { limit: positive('limit', limit) })
      return found.map(showFound)
    },
    async delete(id) {
      if (!(await store.delete(id))) throw new ConversationNotFoundError(id)
    },
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  }
}

function engineOf(client: UpstreamClient | undefined, engine: Engine | undefined): Engine {
  if ((client === undefined) === (engine === undefined)) {
    throw new AnthropicError(
      `Cannot open conversations as there must be a client or an engine: found ${client === undefined ? 'neither' : 'both'}`,
    )
  }
  return engine ?? upstream(client!)
}

function positive(name: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value
  throw new RangeError(`Cannot list conversations as ${name} must be a positive integer: it is ${value}`)
}
