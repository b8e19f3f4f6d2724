// Writes the notation of llama.cpp's grammars (GBNF).

export function literal(text: string): string {
  return text === ''
    ? '""'
    : JSON.stringify(text).replaceAll(
        /[\u007f-\uffff]/g,
        (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
}

export function sequence(rules: readonly string[]): string {
  return rules.length === 1 ? rules[0]! : `(${rules.join(' ')})`
}

export function choice(rules: readonly string[]): string {
  return rules.length === 1 ? rules[0]! : `(${rules.join(' | ')})`
}

export function optional(rule: string): string {
  return `(${rule})?`
}

/** @param max Infinity for no limit. */
export function repeat(rule: string, min: number, max: number = Infinity): string {
  if (max === 0) return '""'
  if (max === Infinity) return min === 0 ? `(${rule})*` : `(${rule}){${min},}`
  return `(${rule}){${min},${max}}`
}
