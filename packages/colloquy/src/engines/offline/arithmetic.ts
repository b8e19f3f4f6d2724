/**
 * Evaluates the first calculation in a sentence, such as "what is 12 * (3 + 4)?" or "6 times 7, please".
 * Undefined if there is none. `that` and `it` stand for `before`, the last result.
 */
export function calculate(sentence: string, before?: number): { expression: string; value: number } | undefined {
  let text = sentence.toLowerCase()
  for (const [word, sign] of words) text = text.replaceAll(word, sign)
  if (before !== undefined) {
    text = text.replace(/\b(that|it|the result|this)\b/, `(${before})`)
    // "and times 2?" continues from the last result.
    text = text.replace(/^\W*(?:(?:and|now|then)\s+)*(?=[*/^%]|[-+]\s)/, `(${before}) `)
  }
  for (const [pattern, order] of commands) text = text.replace(pattern, order)
  for (const [run] of text.matchAll(/[\d\s.,()+\-*/^%]+/g)) {
    const candidate = expressionIn(run)
    const expression = candidate.replaceAll(',', '').replace(/\s+/g, ' ').trim()
    if (!/[\d)]\s*[-+*/^%]/.test(expression)) continue
    const value = new Calculation(expression).value()
    if (value !== undefined) return { expression, value }
  }
  return undefined
}

const words: ReadonlyArray<readonly [RegExp, string]> = [
  [/\bplus\b/g, '+'],
  [/\bminus\b/g, '-'],
  [/\b(times|multiplied by)\b|(?<=\d\s*)[×x](?=\s*\d)/g, '*'],
  [/\b(divided by|over)\b|÷/g, '/'],
  [/\bto the power of\b|\*\*/g, '^'],
  [/\bmod(ulo)?\b/g, '%'],
]

const number = String.raw`(\(?-?[\d.]+\)?)`
const commands: ReadonlyArray<readonly [RegExp, string]> = [
  [new RegExp(String.raw`\badd ${number} (?:to|and) ${number}`), '$2 + $1'],
  [new RegExp(String.raw`\bsubtract ${number} from ${number}`), '$2 - $1'],
  [new RegExp(String.raw`\bmultiply ${number} (?:by|with|and) ${number}`), '$1 * $2'],
  [new RegExp(String.raw`\bdivide ${number} by ${number}`), '$1 / $2'],
  [new RegExp(String.raw`\bdouble (?:of )?${number}`), '2 * $1'],
  [new RegExp(String.raw`\bsquare (?:of )?${number}`), '$1 ^ 2'],
]

/** The part of the text from the first character that may begin an expression to the last that may end one. */
function expressionIn(run: string): string {
  const start = run.search(/[-(\d.]/)
  let end = run.length
  while (end > start && !/[\d)]/.test(run[end - 1]!)) end--
  return start < 0 ? '' : run.slice(start, end)
}

/** Formats a number without the rounding noise of binary fractions. */
export function formatNumber(value: number): string {
  return String(Number(value.toPrecision(12)))
}

const maxTokens = 1_000

/** Recursive descent over `+ - * / % ^` and parentheses, with the usual precedence. */
class Calculation {
  readonly #tokens: string[]
  #at = 0

  constructor(expression: string) {
    this.#tokens = expression.match(/\d+\.?\d*|\.\d+|[-+*/^%()]/g) ?? []
  }

  value(): number | undefined {
    // The parser is recursive.
    if (this.#tokens.length > maxTokens) return undefined
    const value = this.#sum()
    return this.#at === this.#tokens.length && Number.isFinite(value) ? value : undefined
  }

  #take(...signs: string[]): string | undefined {
    const token = this.#tokens[this.#at]
    if (token === undefined || !signs.includes(token)) return undefined
    this.#at++
    return token
  }

  #sum(): number {
    let value = this.#product()
    for (let sign = this.#take('+', '-'); sign; sign = this.#take('+', '-')) {
      const right = this.#product()
      value = sign === '+' ? value + right : value - right
    }
    return value
  }

  #product(): number {
    let value = this.#power()
    for (let sign = this.#take('*', '/', '%'); sign; sign = this.#take('*', '/', '%')) {
      const right = this.#power()
      value = sign === '*' ? value * right : sign === '/' ? value / right : value % right
    }
    return value
  }

  #power(): number {
    const base = this.#atom()
    return this.#take('^') ? base ** this.#power() : base
  }

  #atom(): number {
    if (this.#take('-')) return -this.#atom()
    if (this.#take('(')) {
      const value = this.#sum()
      return this.#take(')') ? value : NaN
    }
    return Number(this.#tokens[this.#at++] ?? NaN)
  }
}
