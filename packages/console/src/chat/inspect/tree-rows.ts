import type { TreeJson, TreeMessageJson } from '../../api/types.ts'

/** A line of the tree. */
export interface Row {
  message: TreeMessageJson
  /** How many forks there are above: a chain without forks is not indented. */
  level: number
  isActive: boolean
}

/**
 * The messages in the order of reading: each branch to its end before the next one begins.
 *
 * @param hidden the ids of messages that are left out with all that follow them.
 */
export function rowsOf({ head, data }: TreeJson, hidden: ReadonlySet<string> = new Set()): Row[] {
  const children = Map.groupBy(data, ({ parentId }) => parentId ?? '')
  const byId = new Map(data.map((message) => [message.id, message]))
  const active = new Set<string>()
  for (let at = head ?? undefined; at !== undefined; at = byId.get(at)?.parentId) active.add(at)
  const rows: Row[] = []
  const stack = (children.get('') ?? []).map((message) => ({ message, level: 0 })).toReversed()
  for (let next = stack.pop(); next; next = stack.pop()) {
    if (hidden.has(next.message.id)) continue
    rows.push({ ...next, isActive: active.has(next.message.id) })
    const below = children.get(next.message.id) ?? []
    const level = next.level + (below.length > 1 ? 1 : 0)
    stack.push(...below.map((message) => ({ message, level })).toReversed())
  }
  return rows
}
