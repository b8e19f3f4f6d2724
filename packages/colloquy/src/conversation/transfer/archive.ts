import { ContentError } from '../errors.ts'
import { jsonMembers } from '../history/json-members.ts'
import type { Archive } from '../history/records.ts'
import { markUnbilled } from '../history/reply-record.ts'
import type { ConversationSettings } from '../settings.ts'
import type { ConversationRecord, ConversationStore, MessageRecord, MessageState } from '../stores/store.ts'
import { openRecovered } from '../turn/call/recovery.ts'
import { parseAt } from './parse.ts'

/** The members of a line's object, each as JSON. */
type Line = ReadonlyMap<string, string>

/** Writes a conversation as lines of JSON: the conversation itself, then all of its messages by number. */
export async function* exportConversation(store: ConversationStore, id: string): AsyncGenerator<string> {
  const { conversation } = await openRecovered(store, id)
  yield conversationLine(conversation)
  for await (const message of store.messages(id)) yield messageLine(message)
}

/** Whether `exportConversation()` wrote the lines. */
export function isExport([first]: readonly Line[]): boolean {
  return first?.get('type') === '"conversation"'
}

/** Reads the lines that `exportConversation()` wrote. Throws a `ContentError` that names the line if they are invalid. */
export function readExport([about, ...lines]: readonly Line[]): Archive {
  const messages = lines.map((line, index) => readMessage(line, index + 2))
  const head = readNumber(about!, 'head', 1)
  if (head !== 0 && !messages.some(({ number }) => number === head)) {
    throw new ContentError(`Cannot import line 1: its head is ${head}, and no line has this id`)
  }
  const title = JSON.parse(about!.get('title') ?? 'null') as string | null
  const settings = JSON.parse(about!.get('settings') ?? '{}') as Partial<ConversationSettings>
  return { ...(title === null ? {} : { title }), settings, messages, head }
}

function conversationLine({ id, title, settings, head, createdAt }: ConversationRecord): string {
  const about = { type: 'conversation', id, title, createdAt: new Date(createdAt).toISOString(), head: idOf(head) }
  return `${JSON.stringify(about).slice(0, -1)},"settings":${settings}}`
}

/** Writes a message with its exact JSON and what is known about it. */
function messageLine({ number, parent, role, state, createdAt, json, received, reply }: MessageRecord): string {
  const about = {
    type: 'message',
    id: idOf(number),
    parentId: idOf(parent),
    // The role of other messages is in their JSON.
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

function readMessage(line: Line, lineNumber: number): MessageRecord {
  const json = exactJson(line, 'message', lineNumber) ?? ''
  const received = exactJson(line, 'received', lineNumber) ?? null
  const number = readNumber(line, 'id', lineNumber)
  const parent = readNumber(line, 'parentId', lineNumber)
  if (number === 0 || parent >= number) {
    throw new ContentError(`Cannot import line ${lineNumber}: its parent comes after it`)
  }
  const isSummary = line.get('role') === '"summary"'
  return {
    number,
    parent,
    role: isSummary ? 'summary' : roleOf(received ?? (json || '{"role":"assistant"}')),
    state: endedState(JSON.parse(line.get('state') ?? '"committed"') as MessageState),
    createdAt: Date.parse(JSON.parse(line.get('createdAt') ?? '""') as string) || 0,
    json,
    received,
    reply: markUnbilled(line.get('reply') ?? null),
  }
}

/** JSON with line breaks, which models write between the tokens of a tool's input, is written as a string. */
function inLine(json: string): string {
  return /[\n\r]/.test(json) ? JSON.stringify(json) : json
}

function exactJson(line: Line, name: string, lineNumber: number): string | undefined {
  const text = line.get(name)
  if (!text?.startsWith('"')) return text
  const json = JSON.parse(text) as string
  parseAt(`line ${lineNumber}`, json, jsonMembers)
  return json
}

/** A reply that was in flight when the conversation was exported will never end in the copy. */
function endedState(state: MessageState): MessageState {
  return state === 'committed' || state === 'interrupted' ? state : 'failed'
}

function roleOf(json: string): string {
  return (JSON.parse(json) as { role: string }).role
}

function readNumber(line: Line, name: string, lineNumber: number): number {
  const id: unknown = JSON.parse(line.get(name) ?? 'null')
  if (id === null) return 0
  const number = Number(id)
  if (typeof id === 'string' && Number.isSafeInteger(number) && number > 0) return number
  throw new ContentError(`Cannot import line ${lineNumber}: its ${name} is ${JSON.stringify(id)}`)
}

function idOf(number: number): string | null {
  return number === 0 ? null : String(number)
}
