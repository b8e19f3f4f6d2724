import type { Pausable } from '../../../in-slices.ts'
import type { SourceConversation, SourceMessage } from '../../source.ts'

/** A node of a chat of another program. Its parent may stand behind it, or be missing. */
export interface TreeNode {
  parent?: unknown
}

/**
 * Reads the messages of a tree, parents first.
 *
 * @param current the node at the end of the active path. Default: the last one that was read.
 * @param messageOf undefined for a node without a message: its children follow its parent.
 */
export function* readTree<Node extends TreeNode>(
  nodes: ReadonlyMap<unknown, Node>,
  current: unknown,
  messageOf: (node: Node, parent: number) => SourceMessage | undefined,
): Pausable<Pick<SourceConversation, 'messages' | 'head'>> {
  const messages: SourceMessage[] = []
  const numbers = new Map<unknown, number>()
  for (const id of inOrder(nodes)) {
    const node = nodes.get(id)!
    const parent = numbers.get(node.parent) ?? 0
    const message = messageOf(node, parent)
    if (message) messages.push(message)
    numbers.set(id, message ? messages.length : parent)
    yield
  }
  return { messages, head: numbers.get(current) ?? messages.length }
}

/** The ids of the nodes, parents first. */
function inOrder(nodes: ReadonlyMap<unknown, TreeNode>): Set<unknown> {
  const placed = new Set<unknown>()
  for (const id of nodes.keys()) {
    const chain = new Set<unknown>()
    for (let at = id; nodes.has(at) && !placed.has(at) && !chain.has(at); at = nodes.get(at)!.parent) chain.add(at)
    for (const each of [...chain].toReversed()) placed.add(each)
  }
  return placed
}
