import type { Pausable } from '../../../in-slices.ts'
import { contentOf, textBlock } from '../../blocks.ts'
import type { ImportNotes } from '../../report.ts'
import { aboutReply, type SourceConversation, type SourceMessage, timeIn, titleIn } from '../../source.ts'
import { printed } from '../../unknown-file.ts'
import { readTree } from './message-tree.ts'

/** A conversation that LibreChat exports as JSON. With the option "recursive" its messages contain those that follow. */
export interface LibreChatConversation {
  conversationId: unknown
  title?: unknown
  options?: { promptPrefix?: unknown } | null
  messages?: unknown
  messagesTree?: unknown
}

interface LibreChatMessage {
  messageId?: unknown
  parentMessageId?: unknown
  isCreatedByUser?: unknown
  text?: unknown
  content?: unknown
  model?: unknown
  createdAt?: unknown
  error?: unknown
  files?: unknown
  children?: unknown
}

/** A part of a message: text, thinking, a tool call with its output, or a file. */
interface Part {
  type?: unknown
  text?: unknown
  tool_call?: { name?: unknown; args?: unknown; output?: unknown }
}

export function isLibreChat(value: unknown): value is LibreChatConversation {
  if (typeof value !== 'object' || value === null || !('conversationId' in value)) return false
  return (
    listOf((value as LibreChatConversation).messages).some((message) => 'isCreatedByUser' in message) ||
    'messagesTree' in value
  )
}

/** Reads a conversation of LibreChat with its branches. Calls of its tools and their output become text of the reply. */
export function* readLibreChat(
  { title, options, messages, messagesTree }: LibreChatConversation,
  line: number,
  notes: ImportNotes,
): Pausable<SourceConversation> {
  const nodes = new Map<unknown, { parent: unknown; message: LibreChatMessage }>()
  const stack = [...listOf<LibreChatMessage>(messages), ...listOf<LibreChatMessage>(messagesTree)].toReversed()
  for (let message = stack.pop(); message; message = stack.pop()) {
    nodes.set(message.messageId, { parent: message.parentMessageId, message })
    stack.push(...listOf<LibreChatMessage>(message.children).toReversed())
    yield
  }
  const tree = yield* readTree(nodes, undefined, ({ message }, parent) => messageOf(message, { line, parent }, notes))
  const system = options?.promptPrefix
  return {
    title: titleIn(title),
    settings: typeof system === 'string' && system.trim() !== '' ? { system } : {},
    ...tree,
  }
}

function messageOf(
  message: LibreChatMessage,
  place: Pick<SourceMessage, 'line' | 'parent'>,
  notes: ImportNotes,
): SourceMessage | undefined {
  const { content, text, files, isCreatedByUser, createdAt } = message
  const parts = Array.isArray(content) && content.length > 0 ? listOf<Part>(content) : [{ type: 'text', text }]
  const texts = message.error === true ? [] : parts.flatMap((part) => textsOf(part, place.line, notes))
  const visible = texts.filter((each) => each.trim() !== '')
  for (const { filename } of listOf<{ filename?: unknown }>(files)) {
    notes.repaired(place.line, `the file ${printed(filename)} is not in the export`)
  }
  if (visible.length === 0) {
    notes.skipped(place.line, message.error === true ? 'an error message' : 'a message without text')
    return undefined
  }
  const read = { ...place, createdAt: timeIn(createdAt), content: contentOf(visible.map(textBlock)) }
  if (isCreatedByUser === true) return { ...read, role: 'user' }
  return { ...read, role: 'assistant', about: aboutReply((name) => (name === 'model' ? message.model : undefined)) }
}

/** The visible text of a part, as Markdown. */
function textsOf({ type, text, tool_call: call }: Part, line: number, notes: ImportNotes): string[] {
  const value = typeof text === 'object' && text !== null ? (text as { value?: unknown }).value : text
  if (typeof value === 'string') return [value]
  if (type === 'think') return []
  if (call) return [`${printed(call.name)}:\n\`\`\`json\n${printed(call.args)}\n\`\`\``, printed(call.output ?? '')]
  notes.repaired(line, `left out: a ${printed(type)} part, which is not in the file`)
  return []
}

function listOf<Item extends object>(value: unknown): Item[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'object' && each !== null) : []
}
