import { isObject } from '../../../../protocol/json/json-object.ts'
import type { Pausable } from '../../../in-slices.ts'
import { textBlock } from '../../blocks.ts'
import type { SourceLine } from '../../report.ts'
import type { SourceConversation } from '../../source.ts'
import { fieldsIn, isVisible, nameIn, objectsIn, printed } from '../../values.ts'
import { fenced } from '../texts.ts'
import { type ChatMessage, readTree } from './message-tree.ts'

/** A conversation of ChatGPT's `conversations.json`: nodes by id, each with a message or none. */
export interface ChatGptConversation {
  title?: unknown
  mapping: Record<string, Node | null>
  current_node?: unknown
}

interface Node {
  message?: ChatGptMessage | null
  parent?: unknown
}

interface ChatGptMessage {
  author?: { role?: unknown; name?: unknown } | null
  create_time?: unknown
  content?: {
    content_type?: unknown
    parts?: unknown
    text?: unknown
    result?: unknown
    output_str?: unknown
    language?: unknown
  } | null
  metadata?: {
    model_slug?: unknown
    is_visually_hidden_from_conversation?: unknown
    attachments?: unknown
    content_references?: unknown
  } | null
  recipient?: unknown
}

export function isChatGpt(value: unknown): value is ChatGptConversation {
  return isObject(value) && isObject(value['mapping'])
}

/**
 * Reads a conversation of ChatGPT with all its branches. Calls of its tools and their output become text of the reply, as no
 * tool of the API stands behind them. Pictures are not in the file: a note and a text stand for them.
 */
export function* readChatGpt(
  { title, mapping, current_node: current }: ChatGptConversation,
  line: SourceLine,
): Pausable<SourceConversation> {
  const nodes = Object.entries(mapping).flatMap(([id, node]) => {
    return node ? { id, parent: node.parent, message: node.message } : []
  })
  const tree = yield* readTree(nodes, current, line, (message) => (message ? messageOf(message, line) : undefined))
  return { title: nameIn(title), settings: {}, ...tree }
}

function messageOf(message: ChatGptMessage, line: SourceLine): ChatMessage | undefined {
  const role = message.author?.role
  const texts = textsOf(message, line)
  if (texts.length === 0) return undefined
  if (role === 'system' || message.metadata?.is_visually_hidden_from_conversation === true) {
    line.skipped(`a hidden ${printed(role)} message`)
    return undefined
  }
  for (const name of attachmentNames(message)) line.repaired(`the file ${name} is not in the export`)
  return {
    role: role === 'user' ? role : 'assistant',
    time: message.create_time,
    blocks: texts.map(textBlock),
    model: message.metadata?.model_slug,
  }
}

/** The names of attached files. Pictures are parts of the message too. */
function attachmentNames({ metadata }: ChatGptMessage): string[] {
  const { attachments } = metadata ?? {}
  const found = Array.isArray(attachments) ? attachments.map(fieldsIn) : []
  const files = found.filter((each) => !printed(each['mime_type']).startsWith('image/'))
  return files.map(({ name }) => printed(name))
}

/** Thinking, and the instructions of the user and of a custom GPT, which come with each conversation. */
const unseenKinds: ReadonlySet<unknown> = new Set([
  'thoughts',
  'reasoning_recap',
  'user_editable_context',
  'model_editable_context',
])

/** The visible text of a message, as Markdown. */
function textsOf({ author, content, recipient, metadata }: ChatGptMessage, line: SourceLine): string[] {
  const kind = content?.content_type
  if (content == null || unseenKinds.has(kind)) return []
  const text = content.text ?? content.result ?? content.output_str
  const parts = Array.isArray(content.parts) ? content.parts : [text ?? content]
  const isSpoken = parts.some((part) => fieldsIn(part)['content_type'] === 'audio_transcription')
  const texts = (isSpoken ? parts.filter((part) => !isRecording(part)) : parts)
    .map((part) => withoutMarks(textOfPart(part, line), metadata?.content_references))
    .filter(isVisible)
  const isCall = kind === 'code' || (typeof recipient === 'string' && recipient !== 'all')
  if (!isCall && author?.role !== 'tool') return texts
  const language =
    isCall && typeof content.language === 'string' && content.language !== 'unknown' ? content.language : ''
  return texts.map((each) => fenced(each, language))
}

/** Whether the part is the sound of a message whose text is another part. */
function isRecording(part: unknown): boolean {
  return /audio.*_asset_pointer$/.test(printed(fieldsIn(part)['content_type']))
}

/** A citation or a name. Its first and last character are for private use, which no font has, or are `【` and `】`. */
const mark = /\ue200[^\ue201]*\ue201|【[^【】]*†[^【】]*】/g

/** The text with links and names in place of marks, as ChatGPT's page shows it. Marks that no font has are left out. */
function withoutMarks(text: string, references: unknown): string {
  const shown = new Map(objectsIn(references).map((each) => [each['matched_text'], each['alt']]))
  return text.replaceAll(mark, (marked) => {
    const alternative = shown.get(marked) ?? /\ue202\["[^"]*","([^"]*)"/.exec(marked)?.[1]
    return typeof alternative === 'string' ? alternative : marked.startsWith('【') ? marked : ''
  })
}

function textOfPart(part: unknown, line: SourceLine): string {
  if (typeof part === 'string') return part
  if (!isObject(part)) return ''
  const { content_type: type, text } = part
  if (typeof text === 'string') return text
  line.repaired(`${printed(type)} is not in the file: a text stands for it`)
  return `[${printed(type)}]`
}
