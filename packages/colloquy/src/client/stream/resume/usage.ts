import { isObject } from '../../../protocol/json/json-object.ts'
import type { MessageDeltaUsage } from '../../../protocol/types/event.ts'
import type { Usage } from '../../../protocol/types/message.ts'
import { iterationsOf } from '../../../tools/usage.ts'

/** Usage with a later report of the same response. Counts in a stream are totals, so they replace earlier ones. */
export function replaceUsage(usage: Usage | undefined, later: MessageDeltaUsage | null | undefined): Usage {
  const reported = Object.entries(later ?? {}).filter(([, value]) => value !== null && value !== undefined)
  return { ...usage, ...Object.fromEntries(reported) } as Usage
}

/** The usage of two responses together. Each is billed by itself, so `iterations` lists the model calls of both. */
export function sumUsage(before: Usage | undefined, after: Usage | undefined): Usage | undefined {
  if (before === undefined || after === undefined) return after ?? before
  return { ...(sum(before, after) as Usage), iterations: [...iterationsOf(before), ...iterationsOf(after)] }
}

/** Adds numbers at any depth. For any other value, the later one wins. */
function sum(before: unknown, after: unknown): unknown {
  if (typeof before === 'number' && typeof after === 'number') return before + after
  if (!isObject(before) || !isObject(after)) return after ?? before
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return Object.fromEntries(Array.from(keys, (key) => [key, sum(before[key], after[key])]))
}
