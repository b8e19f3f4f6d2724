import { isObject } from '../../../../protocol/json/json-object.ts'
import type { Pausable } from '../../../in-slices.ts'
import { type SourceBlock, textBlock, toBlock } from '../../blocks.ts'
import type { ImportNotes } from '../../report.ts'
import { objectsIn, type SourceConversation, titleIn } from '../../source.ts'
import { printed } from '../../unknown-file.ts'
import { type ChatMessage, readTree } from './message-tree.ts'
import { callText } from '../tool-text.ts'

/** A conversation of Claude.ai's `conversations.json`, or as its page loads it. */
export interface ClaudeAiConversation {
  name?: unknown
  /** The last message of the active path. Only what the page loads has it. */
  current_leaf_message_uuid?: unknown
  chat_messages: (ClaudeAiMessage | null)[]
}

interface ClaudeAiMessage {
  uuid?: unknown
  parent_message_uuid?: unknown
  sender?: unknown
  text?: unknown
  content?: unknown
  created_at?: unknown
  attachments?: unknown
  files?: unknown
}

export function isClaudeAi(value: unknown): value is ClaudeAiConversation {
  return isObject(value) && Array.isArray(value['chat_messages'])
}

/**
 * Reads a conversation of Claude.ai. Text of attachments comes along as documents. Thinking comes without its signature, so it
 * is left out; calls of Claude.ai's own tools and their results become text of the reply.
 */
export function* readClaudeAi(
  { name, chat_messages: list, current_leaf_message_uuid: leaf }: ClaudeAiConversation,
  line: number,
  notes: ImportNotes,
): Pausable<SourceConversation> {
  // Old files name no parents.
  const nodes = list.map((message, index) => {
    const { uuid = index, parent_message_uuid: parent = before(list, index) } = message ?? {}
    return { id: uuid, parent, message }
  })
  const tree = yield* readTree(nodes, leaf, { line, notes }, (message) => {
    const read = message && messageOf(message, line, notes)
    if (!read) notes.skipped(line, 'a message without a sender or text')
    return read ?? undefined
  })
  return { title: titleIn(name), settings: {}, ...tree }
}

/** The id of the message before; undefined for the first one. */
function before(list: readonly (ClaudeAiMessage | null)[], index: number): unknown {
  return index === 0 ? undefined : (list[index - 1]?.uuid ?? index - 1)
}

function messageOf(message: ClaudeAiMessage, line: number, notes: ImportNotes): ChatMessage | undefined {
  const role = message.sender === 'human' ? 'user' : message.sender
  if (role !== 'user' && role !== 'assistant') return undefined
  const blocks = [...attachmentsOf(message, line, notes), ...textsOf(message, line, notes)]
  return blocks.length === 0 ? undefined : { role, time: message.created_at, blocks }
}

function textsOf({ content, text }: ClaudeAiMessage, line: number, notes: ImportNotes): SourceBlock[] {
  const parts = Array.isArray(content) ? content : []
  const texts = parts.flatMap((part: Record<string, unknown> | null) => textOfPart(part ?? {}, line, notes))
  const visible = texts.filter((each) => each.trim() !== '')
  if (visible.length > 0) return visible.map(textBlock)
  return typeof text === 'string' && text.trim() !== '' ? [textBlock(text)] : []
}

function textOfPart(part: Record<string, unknown>, line: number, notes: ImportNotes): string[] {
  if (typeof part['text'] === 'string') return [part['text']]
  if (part['type'] === 'tool_use') return [callText(part['name'], part['input'])]
  if (part['type'] === 'tool_result') return resultTexts(part['content'])
  notes.repaired(line, `left out: a ${printed(part['type'])} part, which the API does not take from this file`)
  return []
}

function resultTexts(content: unknown): string[] {
  if (typeof content === 'string') return [content]
  if (!Array.isArray(content)) return []
  return content.flatMap((part: { text?: unknown } | null) => (typeof part?.text === 'string' ? [part.text] : []))
}

function attachmentsOf({ attachments, files }: ClaudeAiMessage, line: number, notes: ImportNotes): SourceBlock[] {
  const attached = objectsIn<Attachment>(attachments)
  for (const { file_name: name } of [
    ...objectsIn<Attachment>(files),
    ...attached.filter((each) => !isText(each.extracted_content)),
  ]) {
    notes.repaired(line, `the file ${printed(name)} is not in the export`)
  }
  return attached
    .filter(({ extracted_content: data }) => isText(data))
    .map(({ file_name: title, extracted_content: data }) =>
      toBlock({
        type: 'document',
        source: { type: 'text', media_type: 'text/plain', data },
        ...(isText(title) && { title }),
      }),
    )
}

interface Attachment {
  file_name?: unknown
  extracted_content?: unknown
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== ''
}
