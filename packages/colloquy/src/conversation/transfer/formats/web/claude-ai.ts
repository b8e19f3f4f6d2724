import type { Pausable } from '../../../in-slices.ts'
import { contentOf, type SourceBlock, textBlock, toBlock } from '../../blocks.ts'
import type { ImportNotes } from '../../report.ts'
import { type SourceConversation, type SourceMessage, timeIn, titleIn } from '../../source.ts'
import { printed } from '../../unknown-file.ts'

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
  if (typeof value !== 'object' || value === null) return false
  return 'chat_messages' in value && Array.isArray(value.chat_messages)
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
  const messages: SourceMessage[] = []
  const numbers = new Map<unknown, number>()
  for (const message of list) {
    const before = messages.length
    const parentId = message?.parent_message_uuid
    const parent = isRoot(parentId) ? 0 : (numbers.get(parentId) ?? before)
    const read = message && messageOf(message, { line, parent }, notes)
    if (read) messages.push(read)
    else notes.skipped(line, 'a message without a sender or text')
    numbers.set(message?.uuid, read ? messages.length : parent)
    yield
  }
  return {
    title: titleIn(name),
    settings: {},
    messages,
    head: (typeof leaf === 'string' && numbers.get(leaf)) || messages.length,
  }
}

/** The parent of a first message is null, or a fixed id that no message has. Old files name no parents. */
function isRoot(parent: unknown): boolean {
  return parent === null || (typeof parent === 'string' && parent.startsWith('00000000-0000-'))
}

function messageOf(
  message: ClaudeAiMessage,
  place: Pick<SourceMessage, 'line' | 'parent'>,
  notes: ImportNotes,
): SourceMessage | undefined {
  const role = message.sender === 'human' ? 'user' : message.sender
  if (role !== 'user' && role !== 'assistant') return undefined
  const blocks = [...attachmentsOf(message, place.line, notes), ...textsOf(message, place.line, notes)]
  if (blocks.length === 0) return undefined
  return { ...place, role, createdAt: timeIn(message.created_at), content: contentOf(blocks) }
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
  if (part['type'] === 'tool_use')
    return [`${printed(part['name'])}:\n\`\`\`json\n${JSON.stringify(part['input'])}\n\`\`\``]
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
  const attached = listOf(attachments)
  for (const { file_name: name } of [...listOf(files), ...attached.filter((each) => !isText(each.extracted_content))]) {
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

function listOf(value: unknown): Attachment[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'object' && each !== null) : []
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== ''
}
