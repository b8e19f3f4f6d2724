import { describeValue } from '../../protocol/json/option-names.ts'
import { ContentError, ConversationNotFoundError, StoreError } from '../errors.ts'
import type { MessageRecord, MessageState, TreeNode } from '../stores/store.ts'

export function isUnfinished(state: MessageState): boolean {
  return state === 'pending' || state === 'streaming'
}

/** The tree without summaries, which are not part of any path. */
export function withoutSummaries(nodes: readonly TreeNode[]): TreeNode[] {
  return nodes.filter(({ role }) => role !== 'summary')
}

/** The messages from the beginning to the leaf. 0 is the beginning itself. */
export function pathTo<Node extends { parent: number }>(nodes: ReadonlyMap<number, Node>, leaf: number): Node[] {
  const path: Node[] = []
  for (let node = nodes.get(leaf); node !== undefined; node = nodes.get(node.parent)) path.push(node)
  return path.toReversed()
}

/** The message and all that follow it. Nodes are sorted by number, so a parent comes before its children. */
export function descendants(nodes: readonly { number: number; parent: number }[], number: number): Set<number> {
  const found = new Set([number])
  for (const node of nodes) if (found.has(node.parent)) found.add(node.number)
  return found
}

/** The messages that no other follows: one per branch. */
export function leaves(nodes: readonly TreeNode[]): TreeNode[] {
  const parents = new Set(nodes.map(({ parent }) => parent))
  return nodes.filter(({ number }) => !parents.has(number))
}

/** The newest leaf after a message; the message itself if none follows it. */
export function newestLeaf(nodes: readonly TreeNode[], number: number): number {
  const below = descendants(nodes, number)
  const inside = nodes.filter((node) => below.has(node.number))
  return leaves(inside).at(-1)!.number
}

/** The numbers of a message and its siblings with the same role. */
export function versionsOf(nodes: readonly TreeNode[], conversationId: string, number: number): number[] {
  const own = nodes.find((node) => node.number === number)
  if (own === undefined) throw new ConversationNotFoundError(conversationId, String(number))
  return nodes.filter(({ parent, role }) => parent === own.parent && role === own.role).map((node) => node.number)
}

/** The ids of the messages that have siblings of their role, by the id of each. */
export function versionGroups(nodes: readonly TreeNode[]): Map<string, string[]> {
  const groups = Map.groupBy(nodes, ({ parent, role }) => `${parent} ${role}`)
  const found = new Map<string, string[]>()
  for (const group of groups.values()) {
    if (group.length < 2) continue
    const ids = group.map(({ number }) => String(number))
    for (const id of ids) found.set(id, ids)
  }
  return found
}

/** The id of a message from its number. Undefined for 0, the beginning of a conversation. */
export function idOf(number: number): string | undefined {
  return number === 0 ? undefined : String(number)
}

/** PostgreSQL numbers messages in 32 bits. */
const largestNumber = 2 ** 31 - 1

/** A message's number from its id. Throws a `ConversationNotFoundError` if no message can have the id. */
export function numberOf(conversationId: string, messageId: string | undefined): number {
  const id = typeof messageId === 'string' ? messageId : describeValue(messageId)
  const number = /^[1-9]\d{0,9}$/.test(id) ? Number(id) : Number.NaN
  if (number <= largestNumber) return number
  throw new ConversationNotFoundError(conversationId, id)
}

/** The messages of the last turns. A turn begins with a user message that is not tool results. */
export function lastTurns(records: readonly MessageRecord[], turns: number): MessageRecord[] {
  if (!Number.isInteger(turns) || turns < 1) {
    throw new RangeError(`Cannot undo as the number of turns must be a positive integer: it is ${describeValue(turns)}`)
  }
  const first = records.filter(beginsTurn).at(-turns)
  if (first === undefined) throw new ContentError(`Cannot undo ${turns} turns: the conversation has fewer`)
  return records.slice(records.indexOf(first))
}

function beginsTurn(record: MessageRecord): boolean {
  try {
    return record.role === 'user' && !answersCalls(record)
  } catch (error) {
    // A damaged message must not keep those after it from being taken back.
    if (error instanceof StoreError) return true
    throw error
  }
}

/** Whether a message contains tool results. */
export function answersCalls({ json }: Pick<MessageRecord, 'json'>): boolean {
  if (!json.includes('"tool_result"')) return false
  const { content } = JSON.parse(json) as { content: string | { type: string }[] }
  return typeof content !== 'string' && content.some(({ type }) => type === 'tool_result')
}
