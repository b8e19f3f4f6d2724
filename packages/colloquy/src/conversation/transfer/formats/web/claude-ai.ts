import { isObject } from '../../../../protocol/json/json-object.ts'
import type { Pausable } from '../../../in-slices.ts'
import { type SourceBlock, toBlock } from '../../blocks.ts'
import type { SourceLine } from '../../report.ts'
import type { SourceConversation } from '../../source.ts'
import { type Fields, fieldsIn, isVisible, nameIn, objectsIn, printed } from '../../values.ts'
import { callText, visibleBlocks } from '../texts.ts'
import { type ChatMessage, readTree } from './message-tree.ts'

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
  line: SourceLine,
): Pausable<SourceConversation> {
  // Old files name no parents.
  const nodes = list.map((message, index) => {
    const { uuid = index, parent_message_uuid: parent = before(list, index) } = message ?? {}
    return { id: uuid, parent, message }
  })
  const tree = yield* readTree(nodes, leaf, line, (message) => {
    const read = message && messageOf(message, line)
    if (!read) line.skipped('a message without a sender or text')
    return read ?? undefined
  })
  return { title: nameIn(name), settings: {}, ...tree }
}

/** The id of the message before; undefined for the first one. */
function before(list: readonly (ClaudeAiMessage | null)[], index: number): unknown {
  return index === 0 ? undefined : (list[index - 1]?.uuid ?? index - 1)
}

function messageOf(message: ClaudeAiMessage, line: SourceLine): ChatMessage | undefined {
  const role = message.sender === 'human' ? 'user' : message.sender
  if (role !== 'user' && role !== 'assistant') return undefined
  const blocks = [...attachmentsOf(message, line), ...textsOf(message, line)]
  return blocks.length === 0 ? undefined : { role, time: message.created_at, blocks }
}

function textsOf({ content, text }: ClaudeAiMessage, line: SourceLine): SourceBlock[] {
  const parts: unknown[] = Array.isArray(content) ? content : []
  const blocks = visibleBlocks(parts.flatMap((part) => textsOfPart(fieldsIn(part), line)))
  return blocks.length > 0 ? blocks : visibleBlocks([text])
}

function textsOfPart({ type, text, name, input, content }: Fields, line: SourceLine): unknown[] {
  if (typeof text === 'string') return [text]
  if (type === 'tool_use') return [callText(name, input)]
  if (type === 'tool_result') return typeof content === 'string' ? [content] : objectsIn(content).map(foundText)
  line.repaired(`left out: a ${printed(type)} part, which the API does not take from this file`)
  return []
}

/** The text of a part of a tool's result. A page that was found has its title and address first. */
function foundText({ title, url, text }: Fields): string {
  return [title, url, text].filter(isVisible).join('\n')
}

function attachmentsOf({ attachments, files }: ClaudeAiMessage, line: SourceLine): SourceBlock[] {
  const attached = objectsIn(attachments)
  const missing = attached.filter(({ extracted_content: data }) => !isVisible(data))
  for (const { file_name: name } of [...objectsIn(files), ...missing]) {
    line.repaired(`the file ${printed(name)} is not in the export`)
  }
  return attached
    .filter((each) => !missing.includes(each))
    .map(({ file_name: title, extracted_content: data }) => {
      const source = { type: 'text', media_type: 'text/plain', data }
      return toBlock({ type: 'document', source, ...(isVisible(title) && { title }) })
    })
}
