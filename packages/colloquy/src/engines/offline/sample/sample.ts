import { isObject } from '../../../protocol/json/json-object.ts'
import { checkJson } from '../../../protocol/json/json-schema.ts'
import { Budget, SampleError, tooComplex, unsatisfiable } from './budget.ts'
import { exampleOf } from './pattern.ts'
import { type Regex, RegexError, parseRegex, testRegex } from '../../../protocol/json/regex.ts'
import { TextFacts } from './text-facts.ts'

/** A JSON Schema of a caller. Any keyword may be missing or invalid. */
type Schema = Record<string, unknown>

/**
 * Makes a value that satisfies a JSON Schema, the same for the same text. Uses values of the text that fit: numbers in their
 * order, an enum value that it names, `key: value` and quoted strings.
 *
 * Throws a `SampleError` if the schema cannot be satisfied within the limits, or has a pattern that is not supported.
 */
export function sample(schema: unknown, text: string): unknown {
  try {
    return new Sampler(schema, text).sample()
  } catch (error) {
    if (!(error instanceof RegexError)) throw error
    throw new SampleError(`Unsupported regex feature in pattern field: ${error.message}`)
  }
}

const maxDepth = 12
/** Subschemas inside each other, references included. */
const maxNesting = 200

class Sampler {
  readonly #root: unknown
  readonly #facts: TextFacts
  readonly #budget = new Budget()
  readonly #patterns = new Map<string, Regex>()
  #nesting = 0

  constructor(root: unknown, text: string) {
    this.#root = root
    this.#facts = new TextFacts(text)
  }

  sample(): unknown {
    const value = this.#value(this.#root, [], 0)
    if (!this.#satisfies(this.#root, value)) throw unsatisfiable()
    return value
  }

  #value(given: unknown, path: readonly string[], depth: number): unknown {
    this.#budget.step()
    // Another choice may end sooner.
    if (given === false || this.#nesting >= maxNesting) throw unsatisfiable()
    this.#nesting++
    try {
      return this.#valueOf(this.#flatten(given), path, depth)
    } finally {
      this.#nesting--
    }
  }

  #valueOf(schema: Schema, path: readonly string[], depth: number): unknown {
    if ('const' in schema) return this.#budget.spend(schema.const)
    if (Array.isArray(schema.enum)) return this.#oneOf(schema.enum)
    const choices = schema.anyOf ?? schema.oneOf
    if (Array.isArray(choices)) return this.#firstFitting(schema, choices, path, depth)
    const type = typeOf(schema)
    if (type === 'object') return this.#object(schema, path, depth)
    if (type === 'array') return this.#array(schema, path, depth)
    if (type === 'string') return this.#budget.spend(this.#string(schema, path.at(-1) ?? ''))
    if (type === 'integer' || type === 'number') return this.#number(schema, type === 'integer')
    return type === 'boolean' ? this.#facts.isPositive : null
  }

  /** Resolves references and merges `allOf` into one schema. */
  #flatten(given: unknown, seen = 0): Schema {
    this.#budget.step()
    if (typeof given !== 'object' || given === null || seen > maxDepth) return {}
    let schema = given as Schema
    if (typeof schema.$ref === 'string') {
      const { $ref, ...rest } = schema
      schema = { ...this.#flatten(resolve(this.#root, $ref), seen + 1), ...rest }
    }
    if (!Array.isArray(schema.allOf)) return schema
    const { allOf, ...rest } = schema
    return [rest, ...allOf.map((each) => this.#flatten(each, seen + 1))].reduce(merge)
  }

  #oneOf(values: readonly unknown[]): unknown {
    if (values.length === 0) throw unsatisfiable()
    return this.#budget.spend(this.#facts.choose(values))
  }

  #firstFitting(schema: Schema, choices: unknown[], path: readonly string[], depth: number): unknown {
    const { anyOf: _anyOf, oneOf: _oneOf, ...rest } = schema
    // Deep in a schema, null ends it soonest.
    const ordered = depth > maxDepth / 2 ? choices.toSorted((a, b) => weight(a) - weight(b)) : choices
    let last: { value: unknown } | undefined
    for (const choice of ordered) {
      last = this.#tryValue(choice === false ? false : merge(rest, this.#flatten(choice)), path, depth) ?? last
      if (last && (this.#satisfies(this.#root, last.value) || this.#fits({ ...schema, $defs: undefined }, last.value)))
        break
    }
    if (!last) throw unsatisfiable()
    return last.value
  }

  /** Undefined if no value satisfies this choice. */
  #tryValue(schema: unknown, path: readonly string[], depth: number): { value: unknown } | undefined {
    try {
      return { value: this.#value(schema, path, depth) }
    } catch (error) {
      if (error instanceof SampleError && error.isUnsatisfiable) return undefined
      throw error
    }
  }

  #fits(schema: Schema, value: unknown): boolean {
    const root = typeof this.#root === 'object' ? (this.#root as Schema) : {}
    return this.#satisfies({ ...schema, $defs: root.$defs, definitions: root.definitions }, value)
  }

  #satisfies(schema: unknown, value: unknown): boolean {
    const matches = (pattern: string, text: string): boolean => testRegex(this.#regexOf(pattern), text)
    try {
      return checkJson(schema as Schema, value, { budget: this.#budget, matches }).length === 0
    } catch (error) {
      if (error instanceof RangeError) throw tooComplex()
      throw error
    }
  }

  #regexOf(pattern: string): Regex {
    let regex = this.#patterns.get(pattern)
    if (!regex) this.#patterns.set(pattern, (regex = parseRegex(pattern)))
    return regex
  }

  #object(schema: Schema, path: readonly string[], depth: number): Record<string, unknown> {
    const properties = Object.entries(isObject(schema.properties) ? schema.properties : {})
    const required = new Set(Array.isArray(schema.required) ? schema.required.filter(isString) : [])
    const rest = schema.additionalProperties === true ? {} : (schema.additionalProperties ?? {})
    const result = new Map<string, unknown>()
    const add = (key: string, property: unknown): void => {
      this.#budget.spend(key)
      result.set(key, this.#value(property, [...path, key], depth + 1))
    }
    for (const [key, property] of properties) {
      const isNamed = depth < 2 && this.#facts.stated(key) !== undefined
      if (required.has(key) || isNamed) add(key, property)
    }
    for (const key of required) if (!result.has(key)) add(key, rest)
    // To reach minProperties, add optional properties first, then other allowed ones.
    const minimum = numberOr(schema.minProperties, 0)
    for (const [key, property] of properties) if (result.size < minimum && !result.has(key)) add(key, property)
    for (let extra = 1; result.size < minimum && rest !== false; extra++) add(`key${extra}`, rest)
    return Object.fromEntries(result)
  }

  #array(schema: Schema, path: readonly string[], depth: number): unknown[] {
    const prefix = Array.isArray(schema.prefixItems) ? schema.prefixItems : []
    const least = numberOr(schema.minItems, 0)
    const most = numberOr(schema.maxItems, Infinity)
    const wanted = depth > maxDepth / 2 ? least : Math.min(most, Math.max(least, prefix.length, 1))
    const result: unknown[] = []
    while (result.length < wanted)
      result.push(this.#value(prefix[result.length] ?? schema.items ?? {}, path, depth + 1))
    if (schema.uniqueItems !== true) return result
    const itemSchema = this.#flatten(schema.items)
    return result.map((item, at) => distinct(item, at, itemSchema))
  }

  #string(schema: Schema, key: string): string {
    const least = numberOr(schema.minLength, 0)
    const most = numberOr(schema.maxLength, Infinity)
    this.#budget.canSpend(least)
    if (typeof schema.pattern === 'string') return exampleOf(this.#regexOf(schema.pattern), least)
    const example =
      isString(schema.format) && Object.hasOwn(formats, schema.format) ? formats[schema.format] : undefined
    const text = example ?? this.#facts.stated(key) ?? this.#facts.guess(key)
    const long = text.length < least ? text.padEnd(least, '.') : text
    return [...long].slice(0, most).join('')
  }

  #number(schema: Schema, isInteger: boolean): number {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema
    const step = Math.abs(numberOr(schema.multipleOf, isInteger ? 1 : 0))
    const range = { minimum, maximum, exclusiveMinimum, exclusiveMaximum, ...(step ? { multipleOf: step } : {}) }
    const isOk = (value: number): boolean => this.#fits({ type: isInteger ? 'integer' : 'number', ...range }, value)
    const stated = this.#facts.takeNumber(isOk)
    if (stated !== undefined) return stated
    const upper = numberOr(maximum, numberOr(exclusiveMaximum, Infinity))
    const floor = numberOr(minimum, numberOr(exclusiveMinimum, Math.min(1, upper)))
    const unit = step || 1
    const ceiling = upper === Infinity ? floor + 2 * unit : upper
    const first = Math.ceil(floor / unit) * unit
    const tries = [1, 0, first, first + unit, Math.floor(ceiling / unit) * unit - unit, (floor + ceiling) / 2]
    return tries.find(isOk) ?? first
  }
}

function typeOf(schema: Schema): string {
  const { type } = schema
  if (Array.isArray(type)) return (type.find((each) => each !== 'null') as string | undefined) ?? 'null'
  if (typeof type === 'string') return type
  if (schema.properties || schema.required) return 'object'
  if (schema.items || schema.prefixItems) return 'array'
  return schema.minimum !== undefined || schema.maximum !== undefined ? 'number' : 'string'
}

function distinct(item: unknown, at: number, schema: Schema): unknown {
  if (at === 0) return item
  if (Array.isArray(schema.enum)) return schema.enum[at % schema.enum.length]
  if (typeof item === 'string') return `${item} ${at + 1}`.slice(-numberOr(schema.maxLength, Infinity))
  return typeof item === 'number' ? item + at * numberOr(schema.multipleOf, 1) : item
}

function weight(schema: unknown): number {
  const type = (schema as Schema | null)?.type
  return type === 'null' ? 0 : type === 'object' || type === 'array' || type === undefined ? 2 : 1
}

function merge(left: Schema, right: Schema): Schema {
  const result: Schema = { ...left, ...right }
  if (isObject(left.properties) && isObject(right.properties))
    result.properties = { ...left.properties, ...right.properties }
  if (Array.isArray(left.required) && Array.isArray(right.required))
    result.required = [...new Set([...(left.required as unknown[]), ...(right.required as unknown[])])]
  return result
}

function resolve(root: unknown, reference: string): unknown {
  let target = root
  for (const part of reference.split('/').slice(1)) {
    const key = decodePart(part).replaceAll('~1', '/').replaceAll('~0', '~')
    target = (isObject(target) || Array.isArray(target)) && Object.hasOwn(target, key) ? (target as Schema)[key] : {}
  }
  return target
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function numberOr<Default>(value: unknown, otherwise: Default): number | Default {
  return typeof value === 'number' ? value : otherwise
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

const formats: Record<string, string> = {
  'date-time': '2026-01-01T12:00:00Z',
  date: '2026-01-01',
  time: '12:00:00Z',
  duration: 'PT1H',
  email: 'ada@example.com',
  hostname: 'example.com',
  uri: 'https://example.com/',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uuid: '00000000-0000-4000-8000-000000000000',
}
