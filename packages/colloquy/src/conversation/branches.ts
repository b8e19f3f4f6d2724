import { leaves, pathTo } from './history/tree.ts'
import { copyOfTotal, noTotal, type TotalUsage, totalWith } from './money/ledger.ts'
import type { TreeNode } from './stores/store.ts'

/** One path through the tree of a conversation, named by its last message. */
export interface Branch {
  /** The id of its last message, for `switchTo`. */
  messageId: string
  isActive: boolean
  /** The number of its messages, from the beginning. */
  length: number
  updatedAt: Date
  /** The usage of its replies, including those that it shares with other branches. */
  usage: TotalUsage
}

/** The branches, the most recently extended first. */
export function branchesOf(nodes: readonly TreeNode[], head: number): Branch[] {
  const onPath = new Set(pathTo(new Map(nodes.map((node) => [node.number, node])), head).map(({ number }) => number))
  const paths = pathsTo(nodes)
  const found = leaves(nodes).map(({ number, createdAt }) => {
    const { length, usage } = paths.get(number)!
    const updatedAt = new Date(createdAt)
    return { messageId: String(number), isActive: onPath.has(number), length, updatedAt, usage: copyOfTotal(usage) }
  })
  return found.toReversed()
}

/** The length and the usage of the path to each message, which continues that to its parent: branches share most of theirs. */
function pathsTo(nodes: readonly TreeNode[]): Map<number, Pick<Branch, 'length' | 'usage'>> {
  const paths = new Map<number, Pick<Branch, 'length' | 'usage'>>()
  for (const { number, parent, reply } of nodes) {
    const { length, usage } = paths.get(parent) ?? { length: 0, usage: noTotal }
    paths.set(number, { length: length + 1, usage: reply === null ? usage : totalWith(usage, reply) })
  }
  return paths
}
