import { apiError } from 'colloquy/protocol'
import { choice, literal, repeat, sequence } from './rules.ts'

/**
 * A rule for the inside of a JSON string that a regular expression matches: characters, classes, groups, alternatives and
 * repetitions. Look-around and back references are refused.
 *
 * @param anyChar the rule for any character of a string.
 */
export function patternRule(pattern: string, anyChar: string, path: string): string {
  return new PatternReader(pattern, anyChar, path).read()
}

class PatternReader {
  readonly #text: string
  readonly #anyChar: string
  readonly #path: string
  #at = 0

  constructor(text: string, anyChar: string, path: string) {
    this.#text = text
    this.#anyChar = anyChar
    this.#path = path
  }

  /** A pattern without anchors matches in the middle of a text. */
  read(): string {
    const isStart = this.#take('^')
    const rule = this.#alternatives()
    const isEnd = this.#text.endsWith('$') && !this.#text.endsWith('\\$')
    if (this.#at < this.#text.length) throw this.#cannot('an unmatched bracket')
    const around = repeat(this.#anyChar, 0)
    return sequence([...(isStart ? [] : [around]), rule, ...(isEnd ? [] : [around])])
  }

  #alternatives(): string {
    const rules = [this.#sequence()]
    while (this.#take('|')) rules.push(this.#sequence())
    return choice(rules)
  }

  #sequence(): string {
    const rules: string[] = []
    while (this.#at < this.#text.length && !'|)'.includes(this.#text[this.#at]!)) {
      if (this.#text[this.#at] === '$' && this.#at === this.#text.length - 1) {
        this.#at++
        break
      }
      rules.push(this.#repeated(this.#atom()))
    }
    return rules.length === 0 ? '""' : sequence(rules)
  }

  #atom(): string {
    const sign = this.#text[this.#at++]!
    if (sign === '(') return this.#group()
    if (sign === '[') return this.#class()
    if (sign === '.') return this.#anyChar
    if (sign === '\\') return this.#escape()
    if ('^$*+?{'.includes(sign)) throw this.#cannot(`"${sign}" at ${this.#at - 1}`)
    return quoted(sign)
  }

  #group(): string {
    if (this.#text[this.#at] === '?' && !this.#take('?:')) throw this.#cannot('a group that looks around')
    const rule = this.#alternatives()
    if (!this.#take(')')) throw this.#cannot('an unmatched bracket')
    return `(${rule})`
  }

  /** A class without the characters that a JSON string has to escape. */
  #class(): string {
    const isNegated = this.#take('^')
    let members = ''
    while (this.#text[this.#at] !== ']') {
      const sign = this.#text[this.#at++]
      if (sign === undefined) throw this.#cannot('an unmatched bracket')
      const member = sign === '\\' ? this.#classEscape() : sign
      if (member === '"' || member === '\\') {
        if (!isNegated) throw this.#cannot(`a class with ${member}`)
      } else members += member === '^' ? '\\^' : member
    }
    this.#at++
    return isNegated ? `[^${members}"\\\\\\x00-\\x1f\\x7f]` : `[${members}]`
  }

  #classEscape(): string {
    const sign = this.#text[this.#at++] ?? ''
    if (sign === '\\' || sign === '"') return sign
    if (sign === ']' || sign === '-' || sign === '[') return `\\${sign}`
    return shorthands[sign] ?? (/\w/.test(sign) ? this.#refuse(`\\${sign}`) : sign)
  }

  #escape(): string {
    const sign = this.#text[this.#at++] ?? ''
    const shorthand = shorthands[sign]
    if (shorthand !== undefined) return `[${shorthand}]`
    if (negated[sign] !== undefined) return `[^${negated[sign]}"\\\\\\x00-\\x1f]`
    return /\w/.test(sign) ? this.#refuse(`\\${sign}`) : quoted(sign)
  }

  #repeated(rule: string): string {
    const found = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})/.exec(this.#text.slice(this.#at))
    if (!found) return rule
    this.#at += found[0].length
    this.#take('?')
    const [sign, min, comma, max] = found
    if (sign === '*') return repeat(rule, 0)
    if (sign === '+') return repeat(rule, 1)
    if (sign === '?') return repeat(rule, 0, 1)
    const upTo = comma === '' ? Number(min) : max === '' ? Infinity : Number(max)
    return repeat(rule, Number(min), upTo)
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #refuse(what: string): never {
    throw this.#cannot(what)
  }

  #cannot(what: string): Error {
    return apiError(
      'invalid_request_error',
      `${this.#path}: this model's grammar cannot hold the pattern ${JSON.stringify(this.#text)}: found ${what}.`,
    )
  }
}

const shorthands: Record<string, string> = { d: '0-9', w: '0-9A-Za-z_', s: ' ' }
const negated: Record<string, string> = { D: '0-9', W: '0-9A-Za-z_', S: ' ' }

/** A character as it is written in JSON. */
function quoted(sign: string): string {
  return literal(JSON.stringify(sign).slice(1, -1))
}
