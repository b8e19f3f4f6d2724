import { apiError, cutText } from 'colloquy/protocol'
import { type Characters, characterRule, inverse, quoted } from './characters.ts'
import { choice, mostCharacters, mostRepetitions, repeat, sequence } from './rules.ts'

/**
 * A rule for the inside of a JSON string that a regular expression matches: characters, classes, groups, alternatives and
 * repetitions. Look-around and back references are refused.
 *
 * @param anyChar the rule for any character of a string.
 */
export function patternRule(pattern: string, anyChar: string, path: string): string {
  return new PatternReader(pattern, anyChar, path).read()
}

/** Groups inside each other. */
const mostLevels = 100

class PatternReader {
  readonly #text: string
  readonly #anyChar: string
  readonly #path: string
  #at = 0
  #level = 0
  #isEndAnchored = false

  constructor(text: string, anyChar: string, path: string) {
    this.#text = text
    this.#anyChar = anyChar
    this.#path = path
  }

  /** A pattern without anchors matches in the middle of a text. */
  read(): string {
    const isStartAnchored = this.#take('^')
    const rule = this.#alternatives()
    if (this.#at < this.#text.length) throw this.#cannot('an unmatched bracket')
    const around = repeat(this.#anyChar, 0)
    return sequence([...(isStartAnchored ? [] : [around]), rule, ...(this.#isEndAnchored ? [] : [around])])
  }

  #alternatives(): string {
    const rules = [this.#sequence()]
    while (this.#take('|')) rules.push(this.#sequence())
    return choice(rules)
  }

  #sequence(): string {
    const rules: string[] = []
    while (this.#at < this.#text.length && !'|)'.includes(this.#text[this.#at]!)) {
      if (this.#text.slice(this.#at) === '$') {
        this.#at++
        this.#isEndAnchored = true
        break
      }
      rules.push(this.#repeated(this.#atom()))
    }
    return rules.length === 0 ? '""' : sequence(rules)
  }

  #atom(): string {
    if (this.#take('(')) return this.#group()
    if (this.#take('[')) return this.#rule(this.#class())
    if (this.#take('.')) return this.#rule(notLineEnds)
    const at = this.#at
    const found = this.#character()
    if (typeof found !== 'number') return this.#rule(found)
    const sign = String.fromCodePoint(found)
    if (this.#at === at + 1 && '^$*+?{'.includes(sign)) throw this.#cannot(`"${sign}" at ${at}`)
    return quoted(sign)
  }

  #group(): string {
    if (this.#text[this.#at] === '?' && !this.#take('?:')) throw this.#cannot('a group that looks around or has a name')
    if (this.#level === mostLevels) throw this.#cannot(`more than ${mostLevels} levels`)
    this.#level++
    const rule = this.#alternatives()
    this.#level--
    if (!this.#take(')')) throw this.#cannot('an unmatched bracket')
    return `(${rule})`
  }

  #class(): Characters {
    const isNegated = this.#take('^')
    const members: Characters[number][] = []
    while (!this.#take(']')) {
      const first = this.#character()
      if (typeof first !== 'number') members.push(...first)
      else if (/^-[^\]]/.test(this.#text.slice(this.#at, this.#at + 2))) {
        this.#at++
        const last = this.#character()
        if (typeof last !== 'number' || last < first) throw this.#cannot('a range without an order')
        members.push([first, last])
      } else members.push([first, first])
    }
    return isNegated ? inverse(members) : members
  }

  /** Reads a character or an escape: the number of a character, or the set that a shorthand such as `\d` stands for. */
  #character(): number | Characters {
    const code = this.#text.codePointAt(this.#at)
    if (code === undefined) throw this.#cannot('an unmatched bracket')
    this.#at += code > 0xffff ? 2 : 1
    if (code !== backslash) return code
    const [, braced, four, two] = numbered.exec(this.#text.slice(this.#at, this.#at + 10)) ?? []
    const digits = braced ?? four ?? two
    if (digits !== undefined)
      return this.#numbered(digits, braced === undefined ? digits.length + 1 : digits.length + 3)
    const sign = this.#text[this.#at++] ?? ''
    const set = shorthands.get(sign) ?? controls.get(sign)
    if (set !== undefined) return set
    if (sign === '' || /\w/.test(sign)) throw this.#cannot(`\\${sign}`)
    return sign.codePointAt(0)!
  }

  #numbered(digits: string, length: number): number {
    const code = Number.parseInt(digits, 16)
    if (code > 0x10_ffff) throw this.#cannot(`\\u{${digits}}`)
    this.#at += length
    return code
  }

  #repeated(rule: string): string {
    const found = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})/.exec(this.#text.slice(this.#at))
    if (!found) return rule
    this.#at += found[0].length
    this.#take('?')
    const [sign, least, comma, most] = found
    // Many repetitions take several copies of the rule.
    if (rule.length > mostCharacters) throw this.#cannot('too many repetitions inside each other')
    if (sign === '*') return repeat(rule, 0)
    if (sign === '+') return repeat(rule, 1)
    if (sign === '?') return repeat(rule, 0, 1)
    const min = Number(least)
    const max = comma === '' ? min : most === '' ? Infinity : Number(most)
    if (min > max || min > mostRepetitions) throw this.#cannot(sign)
    return repeat(rule, min, max === Infinity ? max : Math.min(max, mostRepetitions))
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #rule(set: Characters): string {
    const rule = characterRule(set)
    if (rule === undefined) throw this.#cannot('a class without a character')
    return rule
  }

  #cannot(what: string): Error {
    return apiError(
      'invalid_request_error',
      `${this.#path}: this model's grammar cannot hold the pattern ${JSON.stringify(cutText(this.#text, 200))}: found ${what}.`,
    )
  }
}

const backslash = 0x5c
/** The rest of an escape with the number of a character. */
const numbered = /^(?:u\{([\da-f]{1,6})\}|u([\da-f]{4})|x([\da-f]{2}))/i

const digits: Characters = [[0x30, 0x39]]
const word: Characters = [...digits, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]]
const whiteSpace: Characters = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]
const notLineEnds = inverse([
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
])

const shorthands = new Map<string, Characters>([
  ['d', digits],
  ['w', word],
  ['s', whiteSpace],
  ['D', inverse(digits)],
  ['W', inverse(word)],
  ['S', inverse(whiteSpace)],
])
const controls = new Map([
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
])
