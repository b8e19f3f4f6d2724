import { hasBlockFields, isSilentFailure } from '../../../protocol/content/block-fields.ts'
import {
  isBlank,
  isModelOnly,
  isServerToolResult,
  isServerToolUse,
  isToolInput,
  isUserOnly,
} from '../../../protocol/sendable.ts'
import { messageJson } from '../../history/records.ts'
import { cutMembers } from '../../history/exact/json-members.ts'
import type { Pausable } from '../../in-slices.ts'
import type { MessageRecord } from '../../stores/store.ts'
import { type AnyBlock, blocksOf, contentOf, type SourceBlock } from '../blocks.ts'
import { canBeShown, withoutThinkingAtEnd } from './clean.ts'
import type { SourceLine } from '../report.ts'

/** A message of an export and its line. */
export interface ExportedMessage {
  line: SourceLine
  record: MessageRecord
}

/** A message that is sent, with its blocks that can be sent. */
interface Sent extends ExportedMessage {
  all: readonly SourceBlock[]
  blocks: SourceBlock[]
  /** The message before it on its path that is sent, system messages aside. */
  before: Sent | undefined
  /** The calls of a reply that every message after it answers; undefined if none follows. */
  answered: ReadonlySet<string> | undefined
}

/**
 * Changes the records of an export whose lines were lost or edited, so that each path can be sent: a call stays if every
 * message that follows it has its result, and a result if its call stays. The messages of a complete export stay as they are.
 *
 * @param exported the messages, parents first.
 */
export function* mendExport(exported: readonly ExportedMessage[]): Pausable<void> {
  const sent = yield* sentMessages(exported)
  for (const each of sent) {
    keepAnswered(each)
    if (each.blocks.length < each.all.length || each.all.length === 0) writeBlocks(each)
    yield
  }
}

function* sentMessages(exported: readonly ExportedMessage[]): Pausable<Sent[]> {
  const lastSent = new Map<number, Sent | undefined>()
  const found: Sent[] = []
  for (const { line, record } of exported) {
    yield
    const before = lastSent.get(record.parent)
    lastSent.set(record.number, before)
    if (record.json === '' || record.role === 'summary') continue
    const all = blocksOf(cutMembers(record.json).get('content')!)!
    const blocks = all.filter(({ block }) => canBeSent(block, record.role))
    const each: Sent = { line, record, all, blocks, before, answered: undefined }
    found.push(each)
    if (blocks.length === 0 || record.role === 'system') continue
    lastSent.set(record.number, each)
    if (before) before.answered = common(before.answered, resultIds(each))
  }
  return found
}

const isId = (value: unknown): boolean => typeof value === 'string' && /^[a-zA-Z0-9_-]+$/.test(value)
const isName = (value: unknown): boolean => isId(value) && (value as string).length <= 128

function canBeSent(block: AnyBlock, role: string): boolean {
  const { type, text, id, name, input, tool_use_id: callId } = block
  if (type === '' || !hasBlockFields(block) || isSilentFailure(block)) return false
  if (type === 'text') return !isBlank(text as string)
  if (type === 'tool_result') return role === 'user' && isId(callId)
  if (type !== 'tool_use') return role === 'assistant' ? !isUserOnly(block) : !isModelOnly(block)
  return role === 'assistant' && isId(id) && isName(name) && isToolInput(input)
}

function keepAnswered(sent: Sent): void {
  const { record, before, answered } = sent
  const waiting = new Set(record.role === 'user' && before ? callIds(before) : answered)
  sent.blocks = sent.blocks.filter(({ block }) => {
    if (block.type === 'tool_result') return waiting.delete(String(block.tool_use_id))
    if (isServerToolResult(block)) return isCalled(sent, block.tool_use_id)
    return block.type !== 'tool_use' || answered === undefined || waiting.delete(String(block.id))
  })
  if (record.role === 'assistant') sent.blocks = withoutThinkingAtEnd(sent.blocks, [])
}

/** Whether one of the API's own tools was called with this id, in the message or in an earlier one of its turn. */
function isCalled(sent: Sent, id: unknown): boolean {
  for (let at: Sent | undefined = sent; at; at = at.before) {
    if (at.all.some(({ block }) => isServerToolUse(block) && block.id === id)) return true
    // User messages that follow each other are one turn.
    const isFirst = at.record.role === 'user' && at.before?.record.role !== 'user'
    if (isFirst && resultIds(at).size === 0) return false
  }
  return false
}

/** Changes the record to what can be sent. The content of the file is kept to be shown. */
function writeBlocks({ line, record, all, blocks }: Sent): void {
  const left = blocks.length === 0 ? 'never sent' : 'left out'
  const types = all.filter((block) => !blocks.includes(block)).map(({ block }) => block.type || 'no block')
  if (blocks.length === 0) line.skipped(`${left}: ${types.join(', ') || 'it has no content'}`)
  else line.repaired(`${left}: ${types.join(', ')}`)
  record.received ??= all.every(canBeShown) ? record.json : messageJson(record.role, contentOf(all.filter(canBeShown)))
  record.json = blocks.length === 0 ? '' : messageJson(record.role, contentOf(blocks))
}

function callIds({ blocks }: Sent): string[] {
  return blocks.flatMap(({ block }) => (block.type === 'tool_use' ? [String(block.id)] : []))
}

function resultIds({ blocks }: Sent): Set<string> {
  return new Set(blocks.flatMap(({ block }) => (block.type === 'tool_result' ? [String(block.tool_use_id)] : [])))
}

function common(first: ReadonlySet<string> | undefined, second: ReadonlySet<string>): ReadonlySet<string> {
  return first === undefined ? second : new Set([...first].filter((id) => second.has(id)))
}
