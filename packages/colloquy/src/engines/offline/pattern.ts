/**
 * Makes a string that matches a regular expression, at least `minLength` long if repetitions allow it.
 *
 * Supports literals, classes, escapes, groups, alternatives and quantifiers. With other syntax (look-around, back references)
 * the string may not match.
 */
export function matching(pattern: string, minLength = 0): string {
  for (let extra = 0; extra <= minLength; extra++) {
    const text = new Pattern(pattern, extra).text()
    if (text.length >= minLength) return text
  }
  return new Pattern(pattern, 0).text()
}

class Pattern {
  readonly #source: string
  /** The number of extra repetitions of each unbounded quantifier. */
  readonly #extra: number
  #at = 0

  constructor(source: string, extra: number) {
    this.#source = source
    this.#extra = extra
  }

  text(): string {
    return this.#alternatives()
  }

  /** Returns the first alternative and skips the others. */
  #alternatives(): string {
    const first = this.#sequence()
    while (this.#source[this.#at] === '|') {
      this.#at++
      this.#sequence()
    }
    return first
  }

  #sequence(): string {
    let text = ''
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at]!)) {
      const atom = this.#atom()
      text += atom.repeat(this.#times())
    }
    return text
  }

  #atom(): string {
    const character = this.#source[this.#at++]!
    if (character === '^' || character === '$') return ''
    if (character === '.') return 'a'
    if (character === '[') return this.#class()
    if (character === '\\') return this.#escaped()
    if (character !== '(') return character
    const prefix = /^\?(:|<[\w$]+>)/.exec(this.#source.slice(this.#at))
    this.#at += prefix?.[0].length ?? 0
    const text = this.#alternatives()
    this.#at++
    return text
  }

  #escaped(): string {
    const character = this.#source[this.#at++] ?? ''
    const property = /^\{[^}]*\}/.exec(this.#source.slice(this.#at))
    if (/[pP]/.test(character) && property) {
      this.#at += property[0].length
      return memberOf(`\\${character}${property[0]}`)
    }
    if (/[bB]/.test(character)) return ''
    return /[dDwWsStnrfv]/.test(character) ? memberOf(`\\${character}`) : character
  }

  #class(): string {
    const end = this.#source.indexOf(']', this.#at + (this.#source[this.#at] === '^' ? 2 : 1))
    const body = this.#source.slice(this.#at, end)
    this.#at = end + 1
    return memberOf(body)
  }

  #times(): number {
    const match = /^(?:([*+?])|\{(\d+)(,(\d*))?\})\??/.exec(this.#source.slice(this.#at))
    if (!match) return 1
    this.#at += match[0].length
    const [, sign, least, isRange, most] = match
    if (sign === '?') return 0
    if (sign) return (sign === '+' ? 1 : 0) + this.#extra
    return isRange ? Math.min(Number(least) + this.#extra, most ? Number(most) : Infinity) : Number(least)
  }
}

function memberOf(body: string): string {
  const isMember = new RegExp(`^[${body}]$`, 'u')
  return ['a', 'A', '0', '1', ' ', '-', '_', '.', '!', '\n', '\t', ...body].find((each) => isMember.test(each)) ?? 'a'
}
