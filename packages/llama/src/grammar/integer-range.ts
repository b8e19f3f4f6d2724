import { choice, literal, repeat, sequence } from './rules.ts'

/** The greatest integer of a rule: 15 digits, which a number of JavaScript holds exactly. */
export const mostInteger: number = 10 ** 15 - 1

/** A rule for the integers of a range; an open end has 15 digits at most. */
export function integerRange(low: number, high: number): string {
  const [from, to] = [Math.max(low, -mostInteger), Math.min(high, mostInteger)]
  const rules: string[] = []
  if (from < 0) rules.push(sequence([literal('-'), upward(Math.max(1, -to), -from)]))
  if (to >= 0) rules.push(upward(Math.max(0, from), to))
  return choice(rules)
}

/** The integers from `low` to `high`, neither below 0: one rule for each number of digits. */
function upward(low: number, high: number): string {
  const rules: string[] = []
  for (let digits = String(low).length; digits <= String(high).length; digits++) {
    const first = Math.max(low, digits === 1 ? 0 : 10 ** (digits - 1))
    const last = Math.min(high, 10 ** digits - 1)
    rules.push(sameLength(String(first), String(last)))
  }
  return choice(rules)
}

/** The numbers between two of the same length. */
function sameLength(low: string, high: string): string {
  if (low === '') return '""'
  const [a, b] = [low[0]!, high[0]!]
  const rest = low.length - 1
  if (/^0*$/.test(low.slice(1)) && /^9*$/.test(high.slice(1))) return sequence([digit(a, b), ...digits(rest)])
  if (a === b) return sequence([literal(a), sameLength(low.slice(1), high.slice(1))])
  const between = Number(b) - Number(a) > 1 ? [sequence([digit(next(a, 1), next(b, -1)), ...digits(rest)])] : []
  return choice([
    sequence([literal(a), sameLength(low.slice(1), '9'.repeat(rest))]),
    ...between,
    sequence([literal(b), sameLength('0'.repeat(rest), high.slice(1))]),
  ])
}

function digit(from: string, to: string): string {
  return from === to ? literal(from) : `[${from}-${to}]`
}

function digits(count: number): string[] {
  return count === 0 ? [] : [repeat('[0-9]', count, count)]
}

function next(sign: string, step: number): string {
  return String(Number(sign) + step)
}
