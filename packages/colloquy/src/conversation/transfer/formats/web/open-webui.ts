import { isObject } from '../../../../protocol/json/json-object.ts'
import type { Pausable } from '../../../in-slices.ts'
import type { SourceLine } from '../../report.ts'
import type { SourceConversation } from '../../source.ts'
import { nameIn, objectsIn, printed, systemIn } from '../../values.ts'
import { visibleBlocks } from '../texts.ts'
import { type ChatMessage, readTree } from './message-tree.ts'

/** A chat that Open WebUI exports: nodes by id, each a message. */
export interface OpenWebUiChat {
  title?: unknown
  chat: {
    history: { messages: Record<string, OpenWebUiMessage | null>; currentId?: unknown }
    /** The active path once more, or all there is. */
    messages?: unknown
    params?: { system?: unknown } | null
    /** The system prompt of an older version. */
    system?: unknown
  }
}

interface OpenWebUiMessage {
  parentId?: unknown
  role?: unknown
  content?: unknown
  timestamp?: unknown
  model?: unknown
  files?: unknown
}

export function isOpenWebUi(value: unknown): value is OpenWebUiChat {
  const messages = (value as Partial<OpenWebUiChat> | null)?.chat?.history?.messages
  return isObject(messages)
}

/** Reads a chat of Open WebUI with its branches. Thinking, and calls of tools that are folded in a reply, are left out. */
export function* readOpenWebUi(
  { title, chat: { history, messages, params, system } }: OpenWebUiChat,
  line: SourceLine,
): Pausable<SourceConversation> {
  const nodes = Object.entries(history.messages).flatMap(([id, message]) => {
    return message ? { id, parent: message.parentId, message } : []
  })
  if (nodes.length === 0) {
    const list = objectsIn<OpenWebUiMessage>(messages)
    nodes.push(
      ...list.map((message, index) => ({ id: String(index), parent: index === 0 ? null : String(index - 1), message })),
    )
  }
  const tree = yield* readTree(nodes, history.currentId, line, (message) => messageOf(message, line))
  return { title: nameIn(title), settings: systemIn(params?.system ?? system), ...tree }
}

function messageOf(
  { role, content, timestamp, model, files }: OpenWebUiMessage,
  line: SourceLine,
): ChatMessage | undefined {
  const blocks = visibleBlocks([typeof content === 'string' && withoutFolds(content)])
  for (const { name, type } of objectsIn(files)) line.repaired(`the file ${printed(name ?? type)} is not imported`)
  if ((role === 'user' || role === 'assistant') && blocks.length > 0) return { role, time: timestamp, blocks, model }
  line.skipped('a message without a role or text')
  return undefined
}

const end = '</details>'

/** The text without the folded parts that the program writes into it, which hold thinking and tool calls. */
function withoutFolds(text: string): string {
  const parts = text.split(end)
  const last = parts.pop()!
  const kept = parts.map((part) => {
    const start = part.search(/<details type="(?:reasoning|tool_calls|code_interpreter)"/)
    return start === -1 ? part + end : part.slice(0, start)
  })
  return (kept.join('') + last).trim()
}
