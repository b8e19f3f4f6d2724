/** A name or a literal. Any other rule gets a name, since llama.cpp refuses to repeat a rule with many parts. */
const simple = /^(?:[\w-]+|"[^"\\]*")$/

/** The named rules of a grammar. */
export class RuleBook {
  readonly #rules = new Map<string, string>()
  /** The names of rules without a name of their own, by their text. */
  readonly #names = new Map<string, string>()

  get text(): string {
    return [...this.#rules].map(([name, rule]) => `${name} ::= ${rule}`).join('\n')
  }

  define(name: string, rule: string): void {
    this.#rules.set(name, rule)
  }

  /** A name for the rule, or the rule if it is simple. */
  named(rule: string): string {
    if (simple.test(rule)) return rule
    const name = this.#names.get(rule) ?? `rule-${this.#names.size}`
    this.#names.set(rule, name)
    this.define(name, rule)
    return name
  }

  /** The name of a rule that every grammar may use. */
  basic(name: string): string {
    const rule = basics[name]!
    if (!this.#rules.has(name)) {
      this.define(name, rule)
      for (const other of Object.keys(basics))
        if (new RegExp(`(?<![\\w-])${other}(?![\\w-])`).test(rule)) this.basic(other)
    }
    return name
  }
}

const basics: Record<string, string> = {
  value: 'object | array | string | number | "true" | "false" | "null"',
  object: '"{" (string ":" space value ("," space string ":" space value)*)? "}"',
  array: '"[" (value ("," space value)*)? "]"',
  string: '"\\"" char* "\\""',
  char: '[^"\\\\\\x00-\\x1f\\x7f] | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F]{4})',
  integer: '"-"? ("0" | [1-9] [0-9]{0,14})',
  number: '"-"? positive',
  positive: '("0" | [1-9] [0-9]{0,14}) ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?',
  space: '" "?',
}
