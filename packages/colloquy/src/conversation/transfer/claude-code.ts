import { isThinking } from '../../protocol/sendable.ts'
import type { Message } from '../../protocol/types/message.ts'
import { jsonElements, jsonMembers } from '../history/json-members.ts'
import { markUnbilled, type ReplyRecord } from '../history/reply-record.ts'
import { type Archive, messageJson, newRecord } from '../history/records.ts'
import type { MessageRecord } from '../stores/store.ts'

type Line = ReadonlyMap<string, string>

/** Whether these are the lines of a Claude Code transcript: they are chained by `uuid` and `parentUuid`. */
export function isClaudeCode(lines: readonly Line[]): boolean {
  return lines.some((line) => line.has('uuid') && line.has('parentUuid') && line.has('message'))
}

/**
 * Reads a Claude Code transcript. It has a line for each block of a reply, and one for each result of calls that were made
 * together: these become one message again. Side conversations and lines that are no messages are left out.
 */
export function importClaudeCode(lines: readonly Line[]): Archive {
  const messages: MessageRecord[] = []
  /** The message that a line became part of, or comes after. */
  const places = new Map<unknown, number>([[null, 0]])
  let lastId: string | undefined
  let model: string | undefined
  for (const line of lines) {
    const uuid = value(line, 'uuid')
    const parent = places.get(value(line, 'parentUuid') ?? null) ?? 0
    const message = line.get('message')
    if (message === undefined || value(line, 'isSidechain') === true || !isTurn(value(line, 'type'))) {
      places.set(uuid, parent)
      continue
    }
    const last = messages.at(-1)
    const members = jsonMembers(message)
    const id = value(members, 'id') as string | undefined
    model = (value(members, 'model') as string | undefined) ?? model
    const content = members.get('content') ?? '[]'
    if (last !== undefined && belongsTo(last, { id, lastId, parent, content })) append(last, content)
    else messages.push(recordOf(line, members, messages.length + 1, parent))
    lastId = id
    places.set(uuid, messages.length)
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
 * A session that was stopped leaves calls without results, or results without calls: the API would refuse every request.
 * What is sent leaves them out, and replies of thinking alone.
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
  place: 'number' | 'parent',
  type: string,
  name: 'id' | 'tool_use_id',
): Map<number, Set<string | undefined>> {
  const found = new Map<number, Set<string | undefined>>()
  for (const record of messages) {
    for (const { block } of blocksOf(record)) {
      if (block.type !== type) continue
      const ids = found.get(record[place]) ?? new Set()
      found.set(record[place], ids.add(block[name]))
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

interface Next {
  id: string | undefined
  lastId: string | undefined
  parent: number
  content: string
}

function belongsTo(last: MessageRecord, { id, lastId, parent, content }: Next): boolean {
  if (last.role === 'assistant') return id !== undefined && id === lastId
  // Results of calls that were made together each follow their own call, which is one message by now.
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
