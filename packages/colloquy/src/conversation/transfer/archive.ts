import { AnthropicError } from '../../protocol/types/error.ts'
import type { MessageParam } from '../../protocol/types/params.ts'
import { checkMessage, waitingCalls } from '../history/content.ts'
import { ContentError } from '../errors.ts'
import { importClaudeCode, isClaudeCode } from './claude-code.ts'
import { jsonElements, jsonMembers } from '../history/json-members.ts'
import { type Archive, newRecord } from '../history/records.ts'
import { markUnbilled } from '../history/reply-record.ts'
import { openRecovered } from '../turn/call/recovery.ts'
import type { ConversationSettings } from '../settings.ts'
import type { ConversationRecord, ConversationStore, MessageRecord, MessageState } from '../stores/store.ts'

/** The conversation as lines: itself, then every message by number. */
export async function* exportConversation(store: ConversationStore, id: string): AsyncGenerator<string> {
  const { conversation } = await openRecovered(store, id)
  yield conversationLine(conversation)
  for await (const message of store.messages(id)) yield messageLine(message)
}

/**
 * Reads what `export` wrote, a Claude Code transcript, or messages in the API's form: a list of them, or one a line.
 *
 * Throws a `ContentError` that names the line where it is none of these.
 */
export function readArchive(text: string, at: number): Archive {
  if (/^\s*\[/.test(text)) return fromMessages(textsOf(text, jsonElements, 'the list'), at)
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const members = lines.map((line, index) => textsOf(line, jsonMembers, `line ${index + 1}`))
  const [first] = members
  if (first === undefined) throw new ContentError('Cannot import a conversation: found no line')
  if (isClaudeCode(members)) return importClaudeCode(members)
  if (first.get('type') === '"conversation"') return fromExport(first, members.slice(1))
  return fromMessages(lines, at)
}

/** Messages in the API's form, one after the other. Throws a `ContentError` where the API would refuse them. */
export function fromMessages(messages: readonly string[], at: number): Archive {
  let before: MessageParam | undefined
  const records = messages.map((json, index) => {
    const message = JSON.parse(json) as MessageParam
    try {
      checkMessage(message, waitingCalls(before))
    } catch (error) {
      throw new ContentError(`Cannot import message ${index + 1}: ${(error as Error).message}`, { cause: error })
    }
    before = message
    return newRecord({ number: index + 1, parent: index, role: message.role, createdAt: at, json })
  })
  return { settings: {}, messages: records, head: records.length }
}

function conversationLine({ id, title, settings, head, createdAt }: ConversationRecord): string {
  const about = { type: 'conversation', id, title, createdAt: new Date(createdAt).toISOString(), head: idOf(head) }
  return `${JSON.stringify(about).slice(0, -1)},"settings":${settings}}`
}

/** A message in the API's form, exactly as it is sent, and what is known of it. */
function messageLine({ number, parent, role, state, createdAt, json, received, reply }: MessageRecord): string {
  const about = {
    type: 'message',
    id: idOf(number),
    parentId: idOf(parent),
    // Of all others the message says it.
    ...(role === 'summary' && { role }),
    state,
    createdAt: new Date(createdAt).toISOString(),
  }
  const exact = [
    ...(reply === null ? [] : [`"reply":${reply}`]),
    ...(received === null ? [] : [`"received":${inLine(received)}`]),
    ...(json === '' ? [] : [`"message":${inLine(json)}`]),
  ]
  return `${JSON.stringify(about).slice(0, -1)}${exact.map((member) => `,${member}`).join('')}}`
}

/** A text that has line ends, as models put between the tokens of a tool's input, stands in its line as a string. */
function inLine(json: string): string {
  return /[\n\r]/.test(json) ? JSON.stringify(json) : json
}

function messageIn(members: Map<string, string>, name: string, index: number): string | undefined {
  const text = members.get(name)
  if (!text?.startsWith('"')) return text
  const json = JSON.parse(text) as string
  textsOf(json, jsonMembers, `line ${index + 2}`)
  return json
}

function fromExport(about: Map<string, string>, lines: readonly Map<string, string>[]): Archive {
  const messages = lines.map((members, index): MessageRecord => {
    const json = messageIn(members, 'message', index) ?? ''
    const received = messageIn(members, 'received', index) ?? null
    const number = numberIn(members, 'id', index)
    const parent = numberIn(members, 'parentId', index)
    if (number === 0 || parent >= number)
      throw new ContentError(`Cannot import line ${index + 2}: its parent comes after it`)
    return {
      number,
      parent,
      role: members.get('role') === '"summary"' ? 'summary' : roleOf(received ?? (json || '{"role":"assistant"}')),
      state: endedState(JSON.parse(members.get('state') ?? '"committed"') as MessageState),
      createdAt: Date.parse(JSON.parse(members.get('createdAt') ?? '""') as string) || 0,
      json,
      received,
      reply: markUnbilled(members.get('reply') ?? null),
    }
  })
  const head = numberIn(about, 'head', -1)
  if (head !== 0 && !messages.some(({ number }) => number === head)) {
    throw new ContentError(`Cannot import line 1: its head ${head} is no message of it`)
  }
  const title = JSON.parse(about.get('title') ?? 'null') as string | null
  const settings = JSON.parse(about.get('settings') ?? '{}') as Partial<ConversationSettings>
  return { ...(title === null ? {} : { title }), settings, messages, head }
}

/** A reply that was being received when the conversation was exported is no more in this copy. */
function endedState(state: MessageState): MessageState {
  return state === 'committed' || state === 'interrupted' ? state : 'failed'
}

function roleOf(json: string): string {
  return (JSON.parse(json) as { role: string }).role
}

function numberIn(members: Map<string, string>, name: string, index: number): number {
  const id: unknown = JSON.parse(members.get(name) ?? 'null')
  if (id === null) return 0
  const number = Number(id)
  if (typeof id === 'string' && Number.isSafeInteger(number) && number > 0) return number
  throw new ContentError(`Cannot import line ${index + 2}: its ${name} is ${JSON.stringify(id)}`)
}

function idOf(number: number): string | null {
  return number === 0 ? null : String(number)
}

function textsOf<Texts>(json: string, read: (json: string) => Texts, place: string): Texts {
  try {
    return read(json)
  } catch (error) {
    if (error instanceof AnthropicError) throw error
    throw new ContentError(`Cannot import ${place}: ${(error as Error).message}`, { cause: error })
  }
}
