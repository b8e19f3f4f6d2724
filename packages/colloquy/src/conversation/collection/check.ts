import { ConversationNotFoundError, StoreError } from '../errors.ts'
import { parseMetadata } from '../history/metadata.ts'
import { parseReply } from '../history/reply-record.ts'
import { paced } from '../in-slices.ts'
import type { ConversationStore, MessageRecord } from '../stores/store.ts'
import { listAll } from './listing.ts'

/** Damage that `conversations.check()` found. */
export interface Damage {
  /** Undefined if the database itself is damaged. */
  conversationId: string | undefined
  /** Undefined if it is not a message that is damaged. */
  messageId: string | undefined
  /** A sentence that says what was found. */
  problem: string
}

/** Checks the database, and then every conversation or a given one. Reads everything; writes nothing. */
export async function* checkStore(store: ConversationStore, id?: string): AsyncGenerator<Damage> {
  if (id !== undefined) return yield* checkConversation(store, id)
  for (const problem of (await store.integrity?.()) ?? []) {
    yield { conversationId: undefined, messageId: undefined, problem }
  }
  for await (const each of listAll(store)) yield* checkConversation(store, each.id)
}

async function* checkConversation(store: ConversationStore, id: string): AsyncGenerator<Damage> {
  const damage = (problem: string, number?: number): Damage => {
    return { conversationId: id, messageId: number === undefined ? undefined : String(number), problem }
  }
  try {
    const opened = await store.open(id, { messages: false })
    if (opened === undefined) return
    const { settings, metadata, head, version } = opened.conversation
    if (settings === '') yield damage('Its settings are damaged.')
    if (metadata !== null && parseMetadata(metadata) === undefined) yield damage('Its metadata is damaged.')
    const numbers = new Set([0])
    for await (const message of paced(store.messages(id))) {
      for (const problem of problemsOf(message, numbers)) yield damage(problem, message.number)
      numbers.add(message.number)
    }
    // Another process may have erased it since.
    if (!numbers.has(head) && (await versionOf(store, id)) === version)
      yield damage(`Its active message ${head} does not exist.`)
  } catch (error) {
    // Deleted in the meantime.
    if (error instanceof ConversationNotFoundError) return
    if (!(error instanceof StoreError)) throw error
    yield damage(error.message)
  }
}

async function versionOf(store: ConversationStore, id: string): Promise<number | undefined> {
  return (await store.open(id, { messages: false }))?.conversation.version
}

const roles = new Set(['user', 'assistant', 'system', 'summary'])

function problemsOf(message: MessageRecord, numbers: ReadonlySet<number>): string[] {
  const { parent, role } = message
  return [
    ...(isIntact(message) ? [] : ['It is damaged.']),
    ...(numbers.has(parent) ? [] : [`The message before it, ${parent}, does not exist.`]),
    ...(roles.has(role) ? [] : [`Its role is ${JSON.stringify(role)}.`]),
  ]
}

function isIntact(message: MessageRecord): boolean {
  try {
    // Reading the content verifies its checksum.
    return message.json === '' || parseReply(message.reply ?? '{}') !== undefined
  } catch (error) {
    if (error instanceof StoreError) return false
    throw error
  }
}
