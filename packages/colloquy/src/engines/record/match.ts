import type { Exchange } from './cassette.ts'

/** A request in the form in which requests are compared. */
export interface Comparable {
  kind: Exchange['kind']
  value: unknown
  /** Equal for equal requests. */
  key: string
}

/** The fields that say how a reply is sent, not which. */
const transportFields = ['stream']

/** @param ignored paths of fields that do not count, such as `metadata.user_id`. */
export function comparable(kind: Exchange['kind'], request: object, ignored: readonly string[]): Comparable {
  const copy = structuredClone(request) as Record<string, unknown>
  for (const path of [...transportFields, ...ignored]) removeAt(copy, path.split('.'))
  // Also drops fields that are undefined, as sending a request does.
  const value: unknown = JSON.parse(JSON.stringify(copy))
  return { kind, value, key: `${kind} ${JSON.stringify(value, sortKeys)}` }
}

function removeAt(value: unknown, [first, ...rest]: readonly string[]): void {
  if (typeof value !== 'object' || value === null || first === undefined) return
  const fields = value as Record<string, unknown>
  if (rest.length > 0) removeAt(fields[first], rest)
  else delete fields[first]
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

const shownDifferences = 8

/** The differences between a request and the nearest recorded one, one a line. Undefined if there is none of the kind. */
export function nearestDifferences(
  asked: Comparable,
  recorded: readonly Comparable[],
): { index: number; lines: string[] } | undefined {
  const found = recorded
    .map((each, index) => ({ index, each }))
    .filter(({ each }) => each.kind === asked.kind)
    .map(({ index, each }) => ({ index, lines: [...differences(each.value, asked.value, '')] }))
    .toSorted((a, b) => a.lines.length - b.lines.length)[0]
  if (found === undefined) return undefined
  const more = found.lines.length - shownDifferences
  return {
    index: found.index,
    lines: more > 0 ? [...found.lines.slice(0, shownDifferences), `and ${more} more`] : found.lines,
  }
}

function* differences(before: unknown, now: unknown, path: string): Generator<string> {
  if (JSON.stringify(before, sortKeys) === JSON.stringify(now, sortKeys)) return
  if (isContainer(before) && isContainer(now) && Array.isArray(before) === Array.isArray(now)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(now)]))
      yield* differences(before[key], now[key], path === '' ? key : `${path}.${key}`)
    return
  }
  if (before === undefined) yield `${path}: not recorded, now ${preview(now)}`
  else if (now === undefined) yield `${path}: recorded ${preview(before)}, now missing`
  else {
    const start = typeof before === 'string' && typeof now === 'string' ? firstDifference(before, now) : 0
    yield `${path}: recorded ${preview(before, start)}, now ${preview(now, start)}`
  }
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function firstDifference(a: string, b: string): number {
  let index = 0
  while (index < a.length && a[index] === b[index]) index++
  return index
}

const shownCharacters = 60

/** A value, or the part of a long text around the first difference. */
function preview(value: unknown, start = 0): string {
  if (typeof value !== 'string') {
    const json = JSON.stringify(value)
    return json.length > shownCharacters ? `${json.slice(0, shownCharacters)}…` : json
  }
  const from = start > 20 ? value.lastIndexOf(' ', start - 20) + 1 : 0
  const text = JSON.stringify(value.slice(from, from + shownCharacters))
  return `${from > 0 ? '…' : ''}${text}${from + shownCharacters < value.length ? '…' : ''}`
}
