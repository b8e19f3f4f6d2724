import { type Conversation, type ConversationMessage, type Conversations, continueNote } from 'colloquy/conversation'
import { toUsd, type ContentBlockParam } from 'colloquy/protocol'
import { firstLine, resultText } from '../../format.ts'
import { escapeHtml } from '../../markdown/html/escape.ts'
import { markdownHtml } from '../../markdown/html/markdown-html.ts'
import { htmlPage } from './html-page.ts'

export type TranscriptFormat = 'md' | 'json' | 'jsonl' | 'html'

/** The format that the extension of a file name stands for. */
export function formatOf(path: string): TranscriptFormat | undefined {
  return /\.(md|jsonl?|html)$/i.exec(path)?.[1]?.toLowerCase() as TranscriptFormat | undefined
}

/** A chat as a document: its active branch, or for `jsonl` all that is stored of it, so that an import brings it back. */
export async function exportChat(chats: Conversations, chat: Conversation, format: TranscriptFormat): Promise<string> {
  if (format === 'jsonl') return (await Array.fromAsync(chats.export(chat.id), (line) => `${line}\n`)).join('')
  if (format === 'json') return `${JSON.stringify(recordOf(chat), undefined, 2)}\n`
  if (format === 'html') return htmlOf(chat)
  return markdownOf(chat)
}

/** A note that a document of the format leaves out the other branches of a chat. Undefined if there are none. */
export async function omissionOf(chat: Conversation, format: TranscriptFormat): Promise<string | undefined> {
  const { length } = format === 'jsonl' ? [] : await chat.branches()
  return length > 1 ? `This is one of ${length} branches: jsonl has all of them.` : undefined
}

/** The chat as JSON, with every content block as it was sent or received. */
export function recordOf(chat: Conversation): object {
  const { id, title, createdAt, settings, messages, cost } = chat
  return {
    id,
    title: title ?? null,
    created_at: createdAt.toISOString(),
    settings,
    messages: messages.map(({ role, content, state, createdAt: at, model, stopReason, usage, costPicoUsd }) => ({
      role,
      content,
      created_at: at.toISOString(),
      ...(state === 'interrupted' && { interrupted: true }),
      ...(model !== undefined && { model, stop_reason: stopReason, usage }),
      ...(costPicoUsd !== undefined && { usd: toUsd(costPicoUsd) }),
    })),
    usd: toUsd(cost.picoUsd),
  }
}

/** The reason why a message has no content: its reply failed, or it is damaged. */
export function missingReason({ content, error }: ConversationMessage): string | undefined {
  return content.length === 0 && error !== undefined ? sentenceIn(error.message) : undefined
}

/** The API's sentence in the message of an error, which is a status and the JSON of the response. */
function sentenceIn(message: string): string {
  const json = /^\d{3} (\{[^]*\})$/.exec(message)?.[1]
  try {
    const { error } = JSON.parse(json ?? '{}') as { error?: { message?: unknown } }
    return typeof error?.message === 'string' ? error.message : message
  } catch {
    return message
  }
}

/**
 * The text of a message. Blocks of other types, except thinking and files, are named in brackets. The library's text that asks
 * a model to continue is `Continue`: the user wrote no such words.
 */
export function textOf({ content }: Pick<ConversationMessage, 'content'>): string {
  if (typeof content === 'string') return content === continueNote ? 'Continue' : content
  return content
    .map(blockText)
    .filter((text) => text !== '')
    .join('')
}

function blockText(block: ContentBlockParam): string {
  if (block.type === 'text') return block.text
  if (block.type === 'thinking' || block.type === 'redacted_thinking') return ''
  if (block.type === 'document' || block.type === 'image') return ''
  if (block.type === 'tool_use') return `\n\n${codeSpan(`⚙ ${block.name} ${JSON.stringify(block.input)}`)}\n\n`
  if (block.type === 'tool_result') return `└ ${firstLine(resultText(block.content))}\n`
  return `[${block.type}]\n`
}

/** Code in a line of Markdown, between more backticks than are in it. */
function codeSpan(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length))
  const fence = '`'.repeat(longest + 1)
  const space = longest > 0 ? ' ' : ''
  return fence + space + text + space + fence
}

function attachmentsOf({ content }: ConversationMessage): string[] {
  if (typeof content === 'string') return []
  return content.flatMap((block) => {
    if (block.type === 'image') return ['image']
    return block.type === 'document' ? [block.title ?? 'document'] : []
  })
}

function markdownOf(chat: Conversation): string {
  const parts = chat.messages.map((message) => {
    const { role, model, state } = message
    const author = role === 'user' ? 'You' : (model ?? 'Assistant')
    const missing = missingReason(message)
    const text = missing === undefined ? textOf(message) : `*${missing}*`
    const notes = [...attachmentsOf(message).map((name) => `*attached: ${name}*`), text]
    return `**${author}:**\n\n${notes.join('\n\n')}\n${state === 'interrupted' ? '\n*interrupted*\n' : ''}`
  })
  return `# ${chat.title ?? 'Untitled'}\n\n${parts.join('\n')}`
}

function htmlOf(chat: Conversation): string {
  const sections = chat.messages.map((message) => {
    const { role, model, state } = message
    const author = role === 'user' ? 'You' : escapeHtml(model ?? 'Assistant')
    const attached = attachmentsOf(message).map((name) => `<p><em>attached: ${escapeHtml(name)}</em></p>`)
    const missing = missingReason(message)
    const isMarkdown = role === 'assistant' && missing === undefined
    const text = isMarkdown ? markdownHtml(textOf(message)) : `<pre>${escapeHtml(missing ?? textOf(message))}</pre>`
    const note = state === 'interrupted' ? '<p><em>interrupted</em></p>' : ''
    return `<section dir="auto"><h2>${author}</h2>${attached.join('')}${text}${note}</section>`
  })
  return htmlPage(chat.title ?? 'Untitled', sections)
}
