import { isThinking } from '../../protocol/sendable.ts'
import type { Message } from '../../protocol/types/message.ts'
import { jsonElements, jsonMembers } from '../history/json-members.ts'
import { markUnbilled, type ReplyRecord } from '../history/reply-record.ts'
import { type Archive, messageJson, newRecord } from '../history/records.ts'
import type { MessageRecord } from '../stores/store.ts'

/** The members of a line's object, each as JSON. */
type Line = ReadonlyMap<string, string>

/** Whether the lines are a Claude Code transcript: each names itself by `uuid` and the line before it by `parentUuid`. */
export function isClaudeCode(lines: readonly Line[]): boolean {
  return lines.some((line) => line.has('uuid') && line.has('parentUuid') && line.has('message'))
}

/**
 * Reads a Claude Code transcript. It has a line for each block of a reply, and a line for each result of parallel calls:
 * these lines are joined into one message. Side conversations and lines without a message are left out.
 */
export function readClaudeCode(lines: readonly Line[]): Archive {
  const messages: MessageRecord[] = []
  /** The number of the message that contains a line, or of the one before it, by the line's `uuid`. */
  const numbers = new Map<unknown, number>([[null, 0]])
  let lastId: string | undefined
  let model: string | undefined
  for (const line of lines) {
    const uuid = value(line, 'uuid')
    const parent = numbers.get(value(line, 'parentUuid') ?? null) ?? 0
    const message = line.get('message')
    if (message === undefined || value(line, 'isSidechain') === true || !isTurn(value(line, 'type'))) {
      numbers.set(uuid, parent)
      continue
    }
    const last = messages.at(-1)
    const members = jsonMembers(message)
    const id = value(members, 'id') as string | undefined
    model = (value(members, 'model') as string | undefined) ?? model
    const content = members.get('content') ?? '[]'
    if (last !== undefined && continues(last, { id, lastId, parent, content })) append(last, content)
    else messages.push(recordOf(line, members, messages.length + 1, parent))
    lastId = id
    numbers.set(uuid, messages.length)
  }
  const title = lines.map((line) => value(line, 'summary')).findLast((summary) => typeof summary === 'string')
  return {
    title,
    settings: model === undefined ? {} : { model },
    messages: withoutOrphans(messages),
    head: messages.length,
  }
}

/**
 * Leaves calls without results, results without calls and replies of thinking alone out of the messages to send. A session
 * that was stopped has them, and the API would refuse every request with them.
 */
function withoutOrphans(messages: readonly MessageRecord[]): MessageRecord[] {
  const calls = idsBy(messages, 'number', 'tool_use', 'id')
  const results = idsBy(messages, 'parent', 'tool_result', 'tool_use_id')
  return messages.map((record) => {
    const blocks = blocksOf(record)
    const kept = blocks.filter(({ block }) => {
      if (block.type === 'tool_use') return results.get(record.number)?.has(block.id)
      return block.type !== 'tool_result' || calls.get(record.parent)?.has(block.tool_use_id)
    })
    const isEmpty = kept.every(({ block }) => isThinking(block))
    if (typeof contentOf(record) === 'string' || (kept.length === blocks.length && !isEmpty)) return record
    const json = isEmpty ? '' : messageJson(record.role, `[${kept.map((each) => each.json).join(',')}]`)
    return { ...record, json, received: record.json }
  })
}

interface AnyBlock {
  type: string
  id?: string
  tool_use_id?: string
}

function idsBy(
  messages: readonly MessageRecord[],
  key: 'number' | 'parent',
  type: string,
  name: 'id' | 'tool_use_id',
): Map<number, Set<string | undefined>> {
  const found = new Map<number, Set<string | undefined>>()
  for (const record of messages) {
    for (const { block } of blocksOf(record)) {
      if (block.type !== type) continue
      const ids = found.get(record[key]) ?? new Set()
      found.set(record[key], ids.add(block[name]))
    }
  }
  return found
}

function blocksOf(record: MessageRecord): { json: string; block: AnyBlock }[] {
  const content = jsonMembers(record.json).get('content')!
  if (!content.startsWith('[')) return []
  return jsonElements(content).map((json) => ({ json, block: JSON.parse(json) as AnyBlock }))
}

function contentOf(record: MessageRecord): unknown {
  return (JSON.parse(record.json) as { content: unknown }).content
}

function isTurn(type: unknown): boolean {
  return type === 'user' || type === 'assistant'
}

/** A line that may continue the last message. */
interface NextLine {
  id: string | undefined
  lastId: string | undefined
  parent: number
  content: string
}

function continues(last: MessageRecord, { id, lastId, parent, content }: NextLine): boolean {
  if (last.role === 'assistant') return id !== undefined && id === lastId
  // The lines of parallel results each follow the line of their own call, and all calls are in one message.
  return parent >= last.parent && isResults(content) && isResults(jsonMembers(last.json).get('content')!)
}

function isResults(content: string): boolean {
  return content.startsWith('[') && (JSON.parse(content) as { type: string }[])[0]?.type === 'tool_result'
}

function append(record: MessageRecord, content: string): void {
  const before = jsonElements(jsonMembers(record.json).get('content')!)
  record.json = messageJson(record.role, `[${[...before, ...jsonElements(content)].join(',')}]`)
}

function recordOf(line: Line, members: Line, number: number, parent: number): MessageRecord {
  const role = value(members, 'role') as string
  const createdAt = Date.parse(String(value(line, 'timestamp'))) || 0
  const json = messageJson(role, members.get('content') ?? '[]')
  const record = newRecord({ number, parent, role, createdAt, json })
  if (role !== 'assistant') return record
  const { content: _, ...message } = Object.fromEntries(
    [...members].map(([name]) => [name, value(members, name)]),
  ) as unknown as Message
  return { ...record, reply: markUnbilled(JSON.stringify({ message } satisfies ReplyRecord)) }
}

function value(line: Line, name: string): unknown {
  const json = line.get(name)
  return json === undefined ? undefined : JSON.parse(json)
}
