import type { Usage } from 'colloquy/protocol'

// Replies of an upstream report usage and names without a check. These functions keep the values that fit the ledger.

/** More tokens than any request has. */
const mostTokens = 1e9
const longestText = 200
const mostCalls = 100
/** Objects of a usage have counts, or lists of such objects. */
const deepest = 3

/** A name that a reply gives. Null if it is not a text. */
export function reportedText(value: unknown): string | null {
  return typeof value === 'string' ? value.slice(0, longestText).toWellFormed() : null
}

/** The usage of a reply, as far as it has the form of one: other fields are left out. */
export function reportedUsage(value: unknown): Partial<Usage> {
  return fieldsOf(value, 0)
}

function fieldsOf(value: unknown, depth: number): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return kept
  for (const [name, field] of Object.entries(value)) {
    const read = fieldOf(name, field, depth)
    if (read !== undefined) kept[name] = read
  }
  return kept
}

function fieldOf(name: string, field: unknown, depth: number): unknown {
  if (field === null) return null
  if (name === 'iterations') return Array.isArray(field) ? listOf(field, depth) : undefined
  const isName = texts.has(name)
  if (typeof field === 'string') return isName ? reportedText(field) : undefined
  if (typeof field === 'number') return !isName && isCount(field) ? field : undefined
  const isPart = !isName && !name.endsWith('_tokens') && typeof field === 'object' && !Array.isArray(field)
  return isPart && depth < deepest ? fieldsOf(field, depth + 1) : undefined
}

const texts = new Set(['type', 'model', 'service_tier', 'inference_geo', 'speed'])

function listOf(list: readonly unknown[], depth: number): unknown[] | undefined {
  return depth < deepest ? list.slice(0, mostCalls).map((call) => fieldsOf(call, depth + 1)) : undefined
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= mostTokens
}
