import { cutText } from '../../../../protocol/text.ts'
import type { Pausable } from '../../../in-slices.ts'
import { contentOf, type SourceBlock } from '../../blocks.ts'
import type { SourceLine } from '../../report.ts'
import { aboutReply, type SourceConversation, type SourceMessage } from '../../source.ts'
import { printed, timeIn } from '../../values.ts'

/** A message of a chat of another program. Its parent may stand behind it, or be missing. */
export interface TreeNode<Message> {
  id: unknown
  parent: unknown
  message: Message
}

/** A message as a reader of a format finds it. */
export interface ChatMessage {
  role: 'user' | 'assistant'
  /** In a form that `timeIn()` reads. */
  time: unknown
  blocks: readonly SourceBlock[]
  /** The model of a reply, if the file says it. */
  model?: unknown
}

/**
 * Reads the messages of a tree, parents first. A message whose parent is not in the file follows the message before it.
 *
 * @param current the id of the node at the end of the active path. Default: the last one that was read.
 * @param line the line of the file where the chat begins.
 * @param messageOf undefined for a node without a message: its children follow its parent.
 */
export function* readTree<Message>(
  nodes: readonly TreeNode<Message>[],
  current: unknown,
  line: SourceLine,
  messageOf: (message: Message) => ChatMessage | undefined,
): Pausable<Pick<SourceConversation, 'messages' | 'head'>> {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const messages: SourceMessage[] = []
  const numbers = new Map<TreeNode<Message>, number>()
  for (const node of inOrder(nodes, byId)) {
    yield
    const before = byId.get(node.parent)
    const known = before ? numbers.get(before) : isRoot(node.parent) ? 0 : undefined
    if (known === undefined) {
      const why = before ? 'form a circle' : `are not in the file: ${cutText(printed(node.parent), 40)}`
      line.repaired(`a message follows the one before it, as its parents ${why}`)
    }
    const parent = known ?? messages.length
    const message = messageOf(node.message)
    if (message) messages.push(sourceMessage(message, { line, parent }))
    numbers.set(node, message ? messages.length : parent)
  }
  const last = byId.get(current)
  return { messages, head: (last && numbers.get(last)) ?? messages.length }
}

function sourceMessage(
  { role, time, blocks, model }: ChatMessage,
  place: Pick<SourceMessage, 'line' | 'parent'>,
): SourceMessage {
  const about = role === 'assistant' && aboutReply((name) => (name === 'model' ? model : undefined))
  return { ...place, role, createdAt: timeIn(time), content: contentOf(blocks), ...(about && { about }) }
}

/** The parent of a first message is missing, or a fixed id that no message has. */
function isRoot(parent: unknown): boolean {
  return parent == null || parent === '' || (typeof parent === 'string' && parent.startsWith('00000000-0000-'))
}

/** The nodes, parents first. */
function inOrder<Message>(
  nodes: readonly TreeNode<Message>[],
  byId: ReadonlyMap<unknown, TreeNode<Message>>,
): Set<TreeNode<Message>> {
  const placed = new Set<TreeNode<Message>>()
  for (const node of nodes) {
    const chain = new Set<TreeNode<Message>>()
    let at: TreeNode<Message> | undefined = node
    for (; at && !placed.has(at) && !chain.has(at); at = byId.get(at.parent)) chain.add(at)
    for (const each of [...chain].toReversed()) placed.add(each)
  }
  return placed
}
