import {
  type Conversation,
  type ConversationMessage,
  type ListedConversation,
  type MessageJson,
  messageJson,
} from 'colloquy/conversation'
import { cutText, oneLine } from 'colloquy/protocol'
import type {
  ConversationJson,
  ListedConversationJson,
  PageJson,
  PathMessageJson,
  TreeMessageJson,
  UsageJson,
} from '../api.ts'
import { withoutData } from './attachments.ts'

/** A conversation in a list. */
export function listedJson({ receiving, ...listed }: ListedConversation): ListedConversationJson {
  return { ...plain(listed), turn: turnJson(receiving) } as ListedConversationJson
}

/** A conversation with the last messages of its active path. */
export async function conversationJson(conversation: Conversation, limit: number): Promise<ConversationJson> {
  const { id, owner, metadata, shelf, title, createdAt, updatedAt, head, settings, usage, receiving, waitingCalls } =
    conversation
  const path = pageBefore(await conversation.path(), undefined, limit)
  return {
    id,
    ...(owner !== undefined && { owner }),
    ...(metadata !== undefined && { metadata }),
    ...(shelf !== undefined && { shelf }),
    ...(title !== undefined && { title }),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
    head: head ?? null,
    settings,
    usage: plain(usage) as UsageJson,
    turn: turnJson(receiving),
    waitingCalls,
    path: await pathJson(conversation, path),
  }
}

/** The messages before one of a path; without one, its end. */
export function pageBefore(
  path: readonly ConversationMessage[],
  before: string | undefined,
  limit: number,
): PageJson<ConversationMessage> {
  const end = before === undefined ? path.length : path.findIndex(({ id }) => id === before)
  const start = Math.max(0, end - limit)
  return { data: path.slice(start, Math.max(start, end)), hasMore: start > 0 }
}

export async function pathJson(
  conversation: Conversation,
  { data, hasMore }: PageJson<ConversationMessage>,
): Promise<PageJson<PathMessageJson>> {
  const versions = await conversation.versionIds()
  const shown = data.map((message) => {
    return { ...shownMessage(conversation.id, message), versions: [...(versions.get(message.id) ?? [message.id])] }
  })
  return { data: shown, hasMore }
}

/** A message without the data of its files. */
export function shownMessage(conversationId: string, message: ConversationMessage): MessageJson {
  const path = `/api/conversations/${encodeURIComponent(conversationId)}/messages/${message.id}`
  return messageJson({ ...message, content: withoutData(message.content, { path }) })
}

const excerptLength = 80

/** A message of the tree: the beginning of its text in place of its content. */
export function treeMessageJson(message: ConversationMessage): TreeMessageJson {
  const { content, ...about } = messageJson(message)
  return { ...about, excerpt: cutText(oneLine(textIn(content)), excerptLength) }
}

function textIn(content: ConversationMessage['content']): string {
  if (typeof content === 'string') return content
  return content.map((block) => (block.type === 'text' ? block.text : `[${block.type}]`)).join(' ')
}

function turnJson(receiving: string | undefined): { messageId: string } | null {
  return receiving === undefined ? null : { messageId: receiving }
}

/** The value as JSON has it. */
export function plain(value: unknown): object {
  return JSON.parse(JSON.stringify(value)) as object
}
