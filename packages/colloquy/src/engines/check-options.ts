import { isObject } from '../protocol/json/json-object.ts'
import { checkOptionNames, describeValue } from '../protocol/json/option-names.ts'
import { AnthropicError } from '../protocol/types/error.ts'

/** A test for the value of an option, with words for the error. */
export interface Rule {
  must: string
  holds: (value: unknown) => boolean
  /** Whether errors leave the value out. */
  isSecret?: true
}

/**
 * Throws an `AnthropicError` if the options are not an object, if one of them is not known, or if a value breaks its rule.
 *
 * @param owner the function that the options belong to.
 */
export function checkOptions(options: unknown, rules: Readonly<Record<string, Rule>>, owner: string): void {
  checkOptionNames(options, Object.keys(rules), owner)
  const values = options as Record<string, unknown>
  for (const [name, { must, holds, isSecret }] of Object.entries(rules)) {
    const value = values[name]
    if (value === undefined || holds(value)) continue
    const found = isSecret ? '' : `: found ${describeValue(value)}`
    throw new AnthropicError(`Cannot use ${name} of ${owner}: it must be ${must}${found}`)
  }
}

/** A rule for an option whose value is checked by itself. */
export const anything: Rule = { must: 'anything', holds: () => true }
export const text: Rule = { must: 'a text', holds: (value) => typeof value === 'string' }
export const flag: Rule = { must: 'true or false', holds: (value) => typeof value === 'boolean' }
export const callable: Rule = { must: 'a function', holds: (value) => typeof value === 'function' }
export const object: Rule = { must: 'an object', holds: isObject }
export const aboveZero: Rule = { must: 'a number above 0', holds: (value) => typeof value === 'number' && value > 0 }
export const milliseconds: Rule = {
  must: 'a number of milliseconds',
  holds: (value) => typeof value === 'number' && value >= 0,
}
export const count: Rule = {
  must: 'a whole number from 0 on',
  holds: (value) => value === Infinity || (Number.isInteger(value) && (value as number) >= 0),
}
export const clockRule: Rule = has('now', 'wait')

/** A rule for one of some texts. */
export function oneOf(...texts: readonly string[]): Rule {
  const must = texts.join(', ').replace(/, (?=[^,]*$)/, ' or ')
  return { must, holds: (value) => texts.includes(value as string) }
}

/** A rule for an object with these methods. */
export function has(...methods: readonly string[]): Rule {
  return {
    must: `an object with ${methods.map((name) => `${name}()`).join(' and ')}`,
    holds: (value) => isObject(value) && methods.every((name) => typeof value[name] === 'function'),
  }
}

/** A rule for a list whose items all have these fields, which are texts. */
export function listWith(...fields: readonly string[]): Rule {
  return {
    must: `a list of objects with ${fields.join(' and ')}`,
    holds: (value) =>
      Array.isArray(value) &&
      value.every((each) => isObject(each) && fields.every((name) => typeof each[name] === 'string')),
  }
}
