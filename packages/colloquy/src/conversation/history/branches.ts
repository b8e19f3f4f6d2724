import { ConversationNotFoundError } from '../errors.ts'
import { Ledger, type TotalUsage } from '../money/ledger.ts'
import type { MessageRecord, TreeNode } from '../stores/store.ts'
import { leaves, pathTo } from './tree.ts'

/** One way through the tree of a conversation, by its last message. */
export interface Branch {
  /** Its last message, for `switchTo`. */
  messageId: string
  isActive: boolean
  /** How many messages it has from the beginning. */
  length: number
  updatedAt: Date
  /** What the replies on it used, those included that it shares with other branches. */
  usage: TotalUsage
}

/** The branches, the one that was added to last first. */
export function branchesOf(nodes: readonly TreeNode[], head: number): Branch[] {
  const byNumber = new Map(nodes.map((node) => [node.number, node]))
  const onPath = new Set(pathTo(byNumber, head).map(({ number }) => number))
  const found = leaves(nodes).map(({ number, createdAt }) => {
    const path = pathTo(byNumber, number)
    return {
      messageId: String(number),
      isActive: onPath.has(number),
      length: path.length,
      updatedAt: new Date(createdAt),
      usage: new Ledger(path).total,
    }
  })
  return found.toReversed()
}

/** The messages that stand where this one stands, itself included, by number. */
export function versionsOf(nodes: readonly TreeNode[], conversationId: string, number: number): number[] {
  const own = nodes.find((node) => node.number === number)
  if (own === undefined) throw new ConversationNotFoundError(conversationId, String(number))
  return nodes.filter(({ parent, role }) => parent === own.parent && role === own.role).map((node) => node.number)
}

/** A message's number from its id. */
export function numberOf(conversationId: string, messageId: string): number {
  const number = /^[1-9]\d{0,15}$/.test(messageId) ? Number(messageId) : Number.NaN
  if (!Number.isSafeInteger(number)) throw new ConversationNotFoundError(conversationId, messageId)
  return number
}

/** The message with which the n-th last turn began: what the user said, not results that answer calls. */
export function turnStart(records: readonly MessageRecord[], turns: number): MessageRecord | undefined {
  return records.filter((record) => record.role === 'user' && !answersCalls(record)).at(-turns)
}

/** Whether a message carries results of tools. */
export function answersCalls({ json }: Pick<MessageRecord, 'json'>): boolean {
  if (!json.includes('"tool_result"')) return false
  const { content } = JSON.parse(json) as { content: string | { type: string }[] }
  return typeof content !== 'string' && content.some(({ type }) => type === 'tool_result')
}
