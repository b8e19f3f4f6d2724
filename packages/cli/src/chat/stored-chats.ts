import { chmodSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  memoryStore,
  openConversations,
  type Conversation,
  type Conversations,
  type ConversationSettings,
  type ListedConversation,
} from 'colloquy/conversation'
import type { Engine } from 'colloquy/protocol'
import type { Flags } from '../command.ts'
import { defaultMaxTokens, defaultModel } from '../defaults.ts'
import { UsageError } from '../exit.ts'
import { pathsOf } from '../commands/paths.ts'

/** The chats: those of this user, or none but the one that begins when nothing is to be kept. */
export async function openChats(
  engine: Engine,
  { save, cacheMarks = true }: { save: boolean; cacheMarks?: boolean },
): Promise<Conversations> {
  if (!save) return openConversations({ engine, store: memoryStore(), cacheMarks })
  const { sqliteStore } = await import('colloquy/conversation/sqlite')
  const { chats } = pathsOf()
  mkdirSync(dirname(chats), { recursive: true, mode: 0o700 })
  const store = sqliteStore(chats)
  chmodSync(chats, 0o600)
  return openConversations({ engine, store, cacheMarks })
}

/** The chats to read and to sort: nobody is asked anything. */
export async function openKeptChats(): Promise<Conversations> {
  return openChats(nobody, { save: true })
}

// An engine is a generator, also the one that has nothing to give.
// oxlint-disable-next-line require-yield
async function* nobody(): ReturnType<Engine> {
  throw new Error('Cannot answer: the chats were opened to be read')
}

/** What the flags ask of every request. */
export function settingsFrom(
  flags: Flags,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ConversationSettings {
  return {
    model: flags.text('model') ?? env['COLLOQUY_MODEL'] ?? env['ANTHROPIC_MODEL'] ?? defaultModel,
    max_tokens: maxTokensOf(flags.number('max-tokens')),
    ...changesFrom(flags),
  }
}

/** What the flags change of a chat that goes on. */
function changesFrom(flags: Flags): Partial<ConversationSettings> {
  const changes: Partial<ConversationSettings> = {}
  const model = flags.text('model')
  const system = flags.text('system')
  const maxTokens = flags.number('max-tokens')
  const thinking = flags.text('thinking')
  if (model !== undefined) changes.model = model
  if (system !== undefined) changes.system = systemText(system)
  if (maxTokens !== undefined) changes.max_tokens = maxTokensOf(maxTokens)
  return { ...changes, ...(thinking === undefined ? {} : thinkingSettings(thinking)) }
}

/** `off`, or how hard the model thinks. */
export function thinkingSettings(level: string): Partial<ConversationSettings> {
  if (level === 'off') return { thinking: { type: 'disabled' } }
  const effort = level as 'low' | 'medium' | 'high' | 'xhigh' | 'max'
  return { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort } }
}

/** The system prompt itself, or with `@` the text of a file. */
export function systemText(value: string): string {
  if (!value.startsWith('@')) return value
  try {
    return readFileSync(value.slice(1), 'utf8')
  } catch (error) {
    throw new UsageError(`Cannot read the system prompt: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function maxTokensOf(value: number = defaultMaxTokens): number {
  if (value < 1) throw new UsageError(`Cannot use --max-tokens ${value}: it must be at least 1`)
  return value
}

/** Chats are called by the end of their id: its beginning is only the time. */
export function shortId(id: string): string {
  return id.slice(-6)
}

/** The chats that an id, the end of one, or words mean. */
export async function findChats(chats: Conversations, query: string): Promise<ListedConversation[]> {
  const all = await chats.list({ limit: 10_000 })
  const plain = query.trim().toLowerCase()
  const byId = all.filter(({ id }) => id === plain || (plain.length >= 4 && id.endsWith(plain)))
  if (byId.length > 0) return byId
  const words = plain.split(/\s+/)
  const byTitle = all.filter(({ title }) => words.every((word) => title?.toLowerCase().includes(word)))
  if (byTitle.length > 0) return byTitle
  const hits = new Set((await chats.search(query, { limit: 200 })).map((hit) => hit.conversationId))
  return all.filter(({ id }) => hits.has(id))
}

/** The one chat that is meant; throws `UsageError` where it is none or several. */
export async function findChat(chats: Conversations, query: string): Promise<ListedConversation> {
  const found = await findChats(chats, query)
  const [first] = found
  if (first !== undefined && found.length === 1) return first
  if (first === undefined) throw new UsageError(`No chat ${query}. colloquy chat list shows them.`)
  const names = found.slice(0, 5).map(({ id, title }) => `${shortId(id)} “${title ?? 'untitled'}”`)
  throw new UsageError(`${found.length} chats match ${query}: ${names.join(', ')}${found.length > 5 ? ', …' : ''}`)
}

/** The chat that the flags ask for: the last one, a certain one, or none, which is a new one. */
export async function chatFrom(chats: Conversations, flags: Flags): Promise<Conversation | undefined> {
  const query = flags.text('resume')
  if (query === undefined && !flags.has('continue') && !flags.has('resume')) return undefined
  const [last] = query === undefined ? await chats.list({ limit: 1 }) : [await findChat(chats, query)]
  if (last === undefined) throw new UsageError('No chat to go on with: there is none yet')
  const chat = await chats.open(last.id)
  const changes = changesFrom(flags)
  if (Object.keys(changes).length > 0) await chat.configure(changes)
  return chat
}
