import type { Pausable } from '../../../in-slices.ts'
import { contentOf, textBlock } from '../../blocks.ts'
import type { ImportNotes } from '../../report.ts'
import { aboutReply, type SourceConversation, type SourceMessage, timeIn, titleIn } from '../../source.ts'
import { printed } from '../../unknown-file.ts'
import { readTree } from './message-tree.ts'

/** A chat that Open WebUI exports: nodes by id, each a message. */
export interface OpenWebUiChat {
  title?: unknown
  chat: { history: { messages: Record<string, OpenWebUiMessage | null>; currentId?: unknown } }
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
  return typeof messages === 'object' && messages !== null
}

/** Reads a chat of Open WebUI with its branches. Thinking, and calls of tools that are folded in a reply, are left out. */
export function* readOpenWebUi(
  { title, chat: { history } }: OpenWebUiChat,
  line: number,
  notes: ImportNotes,
): Pausable<SourceConversation> {
  const nodes = new Map<string, { parent: unknown; message: OpenWebUiMessage }>()
  for (const [id, message] of Object.entries(history.messages)) {
    if (message) nodes.set(id, { parent: message.parentId, message })
  }
  const tree = yield* readTree(nodes, history.currentId, ({ message }, parent) =>
    messageOf(message, { line, parent }, notes),
  )
  return { title: titleIn(title), settings: {}, ...tree }
}

function messageOf(
  { role, content, timestamp, model, files }: OpenWebUiMessage,
  place: Pick<SourceMessage, 'line' | 'parent'>,
  notes: ImportNotes,
): SourceMessage | undefined {
  const text = typeof content === 'string' ? withoutFolds(content) : ''
  for (const file of Array.isArray(files) ? (files as ({ name?: unknown; type?: unknown } | null)[]) : []) {
    notes.repaired(place.line, `the file ${printed(file?.name ?? file?.type)} is not imported`)
  }
  if ((role !== 'user' && role !== 'assistant') || text.trim() === '') {
    notes.skipped(place.line, 'a message without a role or text')
    return undefined
  }
  const about = role === 'assistant' && aboutReply((name) => (name === 'model' ? model : undefined))
  return {
    ...place,
    role,
    createdAt: timeIn(timestamp),
    content: contentOf([textBlock(text)]),
    ...(about && { about }),
  }
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
