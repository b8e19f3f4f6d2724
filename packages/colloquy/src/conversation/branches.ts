import { leaves, pathTo } from './history/tree.ts'
import { Ledger, type TotalUsage } from './money/ledger.ts'
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
