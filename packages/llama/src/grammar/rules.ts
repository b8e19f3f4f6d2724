// Writes the notation of llama.cpp's grammars (GBNF).

/** The most characters of a grammar. */
export const mostCharacters = 1_000_000

/** The most repetitions that a grammar counts. llama.cpp refuses a larger minimum, and ignores a larger maximum. */
const mostCounted = 2000

/** The most repetitions that `repeat()` writes. */
export const mostRepetitions = 10_000

/** Choices inside each other that `oneOf()` writes at most, since llama.cpp reads them by recursion. */
const mostLevels = 100

export function literal(text: string): string {
  return JSON.stringify(text).replaceAll(/[\u007f-\u{10ffff}]/gu, codeOf)
}

/** A character by its number. */
export function codeOf(sign: string): string {
  const code = sign.codePointAt(0)!
  const hex = code.toString(16)
  if (code < 0x80) return `\\x${hex.padStart(2, '0')}`
  return code > 0xffff ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`
}

export function sequence(rules: readonly string[]): string {
  return rules.length === 1 ? rules[0]! : `(${rules.join(' ')})`
}

/** The rules with a separator between them. */
export function separated(rules: readonly string[], separator: string): string[] {
  return rules.flatMap((each, index) => (index === 0 ? [each] : [separator, each]))
}

export function choice(rules: readonly string[]): string {
  return rules.length === 1 ? rules[0]! : `(${rules.join(' | ')})`
}

/** One of the texts. Texts that begin alike share the rule for their beginning, as each alternative costs time at each token. */
export function oneOf(texts: readonly string[]): string {
  return branches([...new Set(texts)].toSorted(), 0, 0)
}

/** @param start the length of the beginning that is written already. */
function branches(sorted: readonly string[], start: number, level: number): string {
  const [first, last] = [sorted[0]!, sorted.at(-1)!]
  if (first === last) return literal(first.slice(start))
  if (level === mostLevels) return choice(sorted.map((text) => literal(text.slice(start))))
  let end = start
  while (end < first.length && first.codePointAt(end) === last.codePointAt(end))
    end += first.codePointAt(end)! > 0xffff ? 2 : 1
  const ways = Map.groupBy(sorted, (text) => text.codePointAt(end)).values()
  const rest = choice([...ways].map((group) => branches(group, end, level + 1)))
  return end === start ? rest : sequence([literal(first.slice(start, end)), rest])
}

export function optional(rule: string): string {
  return `(${rule})?`
}

/** @param max Infinity for no limit, else at most `mostRepetitions`. */
export function repeat(rule: string, min: number, max: number = Infinity): string {
  if (max === 0) return '""'
  const counted = `(${rule}){${mostCounted}}`
  if (min > mostCounted) return sequence([counted, repeat(rule, min - mostCounted, max - mostCounted)])
  if (max === Infinity) return min === 0 ? `(${rule})*` : `(${rule}){${min},}`
  if (max <= mostCounted) return `(${rule}){${min},${max}}`
  return choice([`(${rule}){${min},${mostCounted}}`, sequence([counted, repeat(rule, 1, max - mostCounted)])])
}
