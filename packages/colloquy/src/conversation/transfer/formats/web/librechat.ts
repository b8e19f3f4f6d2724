import { isObject } from '../../../../protocol/json/json-object.ts'
import type { Pausable } from '../../../in-slices.ts'
import type { SourceLine } from '../../report.ts'
import type { SourceConversation } from '../../source.ts'
import { nameIn, objectsIn, printed, systemIn } from '../../values.ts'
import { callText, visibleBlocks } from '../texts.ts'
import { type ChatMessage, readTree, type TreeNode } from './message-tree.ts'

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
  if (!isObject(value) || !('conversationId' in value)) return false
  return objectsIn(value['messages']).some((message) => 'isCreatedByUser' in message) || 'messagesTree' in value
}

/** Reads a conversation of LibreChat with its branches. Calls of its tools and their output become text of the reply. */
export function* readLibreChat(
  { title, options, messages, messagesTree }: LibreChatConversation,
  line: SourceLine,
): Pausable<SourceConversation> {
  const nodes: TreeNode<LibreChatMessage>[] = []
  const stack = [...objectsIn<LibreChatMessage>(messages), ...objectsIn<LibreChatMessage>(messagesTree)].toReversed()
  for (let message = stack.pop(); message; message = stack.pop()) {
    nodes.push({ id: message.messageId, parent: message.parentMessageId, message })
    stack.push(...objectsIn<LibreChatMessage>(message.children).toReversed())
    yield
  }
  const tree = yield* readTree(nodes, undefined, line, (message) => messageOf(message, line))
  return { title: nameIn(title), settings: systemIn(options?.promptPrefix), ...tree }
}

function messageOf(message: LibreChatMessage, line: SourceLine): ChatMessage | undefined {
  const { content, text, files, isCreatedByUser, createdAt, model } = message
  const parts = Array.isArray(content) && content.length > 0 ? objectsIn<Part>(content) : [{ type: 'text', text }]
  const texts = message.error === true ? [] : parts.flatMap((part) => textsOf(part, line))
  const blocks = visibleBlocks(texts)
  for (const { filename } of objectsIn(files)) line.repaired(`the file ${printed(filename)} is not in the export`)
  if (blocks.length > 0) {
    return { role: isCreatedByUser === true ? 'user' : 'assistant', time: createdAt, blocks, model }
  }
  line.skipped(message.error === true ? 'an error message' : 'a message without text')
  return undefined
}

/** The visible text of a part, as Markdown. */
function textsOf({ type, text, tool_call: call }: Part, line: SourceLine): string[] {
  const value = isObject(text) ? text['value'] : text
  if (typeof value === 'string') return [value]
  if (type === 'think') return []
  if (call) return [callText(call.name, call.args), printed(call.output ?? '')]
  line.repaired(`left out: a part of type ${printed(type)}, which has no text`)
  return []
}
