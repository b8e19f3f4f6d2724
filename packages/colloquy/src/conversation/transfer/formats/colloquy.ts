import { isObject } from '../../../protocol/json/json-object.ts'
import { cutText } from '../../../protocol/text.ts'
import type { ConversationSettings } from '../../settings.ts'
import { ContentError } from '../../errors.ts'
import type { ConversationMetadata } from '../../history/metadata.ts'
import { markUnbilled } from '../../history/reply-record.ts'
import { isShelf } from '../../history/view.ts'
import { mapped, type Pausable } from '../../in-slices.ts'
import type { MessageRecord, MessageState, Shelf } from '../../stores/store.ts'
import { checkLevels, type JsonLine, membersOf, stringOf, valueOf } from '../lines.ts'
import { type Archive, messageJson } from '../../history/records.ts'
import { blocksOf, contentOf } from '../blocks.ts'
import { canBeShown } from '../repair/clean.ts'
import { type ExportedMessage, mendExport } from '../repair/mend-export.ts'
import type { Noted, SourceLine } from '../report.ts'
import { isUsage } from '../source.ts'

type ExportLine = Noted<JsonLine>

export function isColloquy(lines: readonly JsonLine[]): boolean {
  return lines.some(isHeader)
}

function isHeader({ members }: JsonLine): boolean {
  return members.get('type') === '"conversation"' && members.has('head')
}

/** The lines of each export in a file that several were written into. Each begins with its header. */
export function exportsIn(lines: readonly JsonLine[]): JsonLine[][] {
  const parts: JsonLine[][] = []
  let hasHeader = false
  for (const line of lines) {
    const isNext = isHeader(line)
    const part = parts.at(-1)
    if (part === undefined || (isNext && hasHeader)) parts.push([line])
    else part.push(line)
    hasHeader ||= isNext
  }
  return parts
}

/**
 * Reads an export. A message whose parent was on a damaged line follows the message before it instead. Parts that can
 * then no longer be sent are left out; the messages of a complete export stay as they are.
 *
 * Throws a `ContentError` that names the line of a value that no export has.
 */
export function* readColloquy(lines: readonly ExportLine[]): Pausable<Archive> {
  const about = lines.find(({ members }) => members.get('type') === '"conversation"')!
  const numbers = new Set<number>()
  const messages: MessageRecord[] = []
  const found = yield* recordsIn(lines.filter((line) => line !== about && isMessage(line)))
  for (const { line, record } of found) {
    if (numbers.has(record.number)) throw wrong(line, `message ${record.number} is there twice`)
    if (record.parent !== 0 && !numbers.has(record.parent)) {
      line.repaired(`its parent ${record.parent} is not in the file`)
      record.parent = messages.at(-1)?.number ?? 0
    }
    numbers.add(record.number)
    messages.push(record)
  }
  const head = numberIn(about, 'head')
  // The head stands first: it may have been erased while the export was written.
  if (head !== 0 && !numbers.has(head)) about.line.repaired(`its head ${head} is not in the file`)
  yield* mendExport(found)
  return {
    title: stringOf(about.members, 'title'),
    createdAt: timeOf(about) || undefined,
    metadata: metadataIn(about),
    shelf: shelfIn(about),
    settings: settingsIn(about),
    messages,
    head: numbers.has(head) || head === 0 ? head : (messages.at(-1)?.number ?? 0),
  }
}

/** The messages of these lines, each after its parent: another program may have sorted the lines. */
function* recordsIn(lines: readonly ExportLine[]): Pausable<ExportedMessage[]> {
  const found = yield* mapped(lines, (line) => ({ line: line.line, record: recordOf(line) }))
  return found.toSorted((a, b) => a.record.number - b.record.number)
}

/** Whether the line is a message. Notes why another one is skipped. */
function isMessage({ line, members }: ExportLine): boolean {
  const type = members.get('type')
  if (type === undefined || type === '"message"') return true
  const why =
    type === '"damaged"'
      ? 'the message was damaged in the store that it was exported from'
      : `its type is not known: ${cutText(type, 40)}`
  line.skipped(why)
  return false
}

function recordOf(line: ExportLine): MessageRecord {
  const { members } = line
  checkLevels(line.json, line.line)
  const json = sentIn(line) ?? ''
  const received = receivedIn(line) ?? null
  const number = numberIn(line, 'id')
  const parent = numberIn(line, 'parentId')
  if (number === 0) throw wrong(line.line, 'its id is null')
  if (parent >= number) throw wrong(line.line, 'its parent comes after it')
  return {
    number,
    parent,
    role: members.get('role') === '"summary"' ? 'summary' : roleOf(received ?? json),
    state: endedState(valueOf(members, 'state')),
    createdAt: timeOf(line),
    json,
    received,
    reply: replyIn(line),
  }
}

/** The message as it is sent. */
function sentIn(given: ExportLine): string | undefined {
  const { line } = given
  const found = messageIn(given, 'message')
  if (found === undefined) return undefined
  const { json, role, content } = found
  if (role === 'user' && /^(?:""|\[\s*\])$/.test(content)) throw wrong(line, 'its message.content is empty')
  const odd = blocksOf(content)!.findIndex(
    ({ block: { type, text } }) => type === '' || (type === 'text' && typeof text !== 'string'),
  )
  if (odd >= 0) throw wrong(line, `its message.content.${odd} is not a content block`)
  return json
}

/** The message as it was received, which is only shown: without what no program could show. */
function receivedIn(line: ExportLine): string | undefined {
  const found = messageIn(line, 'received')
  if (found === undefined) return undefined
  const blocks = blocksOf(found.content)!
  const shown = blocks.filter(canBeShown)
  return shown.length === blocks.length ? found.json : messageJson(found.role, contentOf(shown))
}

interface ExportedText {
  json: string
  role: string
  /** Its exact JSON, of a string or a list. */
  content: string
}

/** A message of a line, where it stands as an object or as a string. */
function messageIn({ line, members }: ExportLine, name: string): ExportedText | undefined {
  const text = members.get(name)
  if (text === undefined) return undefined
  const json = text.startsWith('"') ? (JSON.parse(text) as string) : text
  const message = membersOf(json)
  if (message === undefined) throw wrong(line, `its ${name} is not an object: ${cutText(text, 40)}`)
  const [role, content] = [message.get('role'), message.get('content')]
  const named: unknown = role && JSON.parse(role)
  if (!isRole(named)) throw wrong(line, `its ${name}.role is ${role && cutText(role, 40)}`)
  if (content && /^["[]/.test(content)) return { json, role: named, content }
  throw wrong(line, `its ${name}.content is neither text nor a list: ${content && cutText(content, 40)}`)
}

function isRole(value: unknown): value is string {
  return value === 'user' || value === 'assistant' || value === 'system'
}

/** The record of a reply. A usage that is not a count would spoil every sum, so it is refused. */
function replyIn({ line, members }: ExportLine): string | null {
  const text = members.get('reply')
  if (text === undefined || text === 'null') return null
  const reply = membersOf(text)
  const message = reply?.get('message')
  if (reply === undefined) throw wrong(line, `its reply is not an object: ${cutText(text, 40)}`)
  const cost = valueOf(reply, 'cost_pico_usd') ?? 0
  if (!Number.isSafeInteger(cost) || Number(cost) < 0)
    throw wrong(line, `its reply.cost_pico_usd is ${JSON.stringify(cost)}`)
  if (message !== undefined) {
    const members = membersOf(message) ?? new Map<string, string>()
    if (!isUsage(valueOf(members, 'usage'))) {
      throw wrong(line, 'its reply.message has no usage with input_tokens and output_tokens')
    }
    if (stringOf(members, 'model') === undefined) throw wrong(line, 'its reply.message has no model')
  }
  for (const name of ['error', 'trace']) {
    const value = valueOf(reply, name) ?? {}
    if (!isObject(value)) throw wrong(line, `its reply.${name} is ${cutText(JSON.stringify(value), 40)}`)
  }
  return markUnbilled(text)
}

/** 0 if the line has none. */
function timeOf({ members }: ExportLine): number {
  return Date.parse(stringOf(members, 'createdAt') ?? '') || 0
}

function settingsIn({ line, members }: ExportLine): Partial<ConversationSettings> {
  const settings = valueOf(members, 'settings') ?? {}
  if (!isObject(settings)) throw wrong(line, 'its settings are not an object')
  return settings
}

function metadataIn({ line, members }: ExportLine): ConversationMetadata | undefined {
  const metadata = valueOf(members, 'metadata')
  if (metadata === undefined) return undefined
  if (isObject(metadata)) return metadata
  throw wrong(line, `its metadata is ${cutText(JSON.stringify(metadata), 40)}`)
}

function shelfIn({ line, members }: ExportLine): Shelf | undefined {
  const shelf = valueOf(members, 'shelf')
  if (shelf === undefined || isShelf(shelf)) return shelf
  throw wrong(line, `its shelf is ${cutText(JSON.stringify(shelf), 40)}`)
}

/** A reply that was in flight when the conversation was exported has failed in the copy. */
function endedState(state: unknown): MessageState {
  return state === undefined || state === 'committed' ? 'committed' : state === 'interrupted' ? 'interrupted' : 'failed'
}

function roleOf(json: string): string {
  return json === '' ? 'assistant' : (JSON.parse(json) as { role: string }).role
}

/** PostgreSQL counts messages in 32 bits, and a conversation must be able to grow. */
const largestNumber = 2 ** 30

function numberIn({ line, members }: ExportLine, name: string): number {
  const id = valueOf(members, name) ?? null
  if (id === null) return 0
  const number = typeof id === 'string' && /^[1-9]\d*$/.test(id) ? Number(id) : 0
  if (number > 0 && number <= largestNumber) return number
  throw wrong(line, `its ${name} is ${JSON.stringify(id)}`)
}

function wrong(line: SourceLine, found: string): ContentError {
  return new ContentError(`Cannot import line ${line.number}: ${found}`)
}
