import { apiError } from 'colloquy/protocol'
import { integerRange } from './integer-range.ts'
import { patternRule } from './pattern.ts'
import { choice, literal, optional, repeat, sequence } from './rules.ts'

type Schema = Record<string, unknown>

/**
 * A grammar for texts that satisfy the schema, in the notation of llama.cpp.
 *
 * Every text of the grammar is valid. A keyword that a grammar cannot hold is an `invalid_request_error` that names it.
 *
 * @param path the place of the schema in the request, for errors.
 */
export function jsonGrammar(schema: unknown, path: string): string {
  const writer = new SchemaWriter(schema)
  writer.define('root', writer.rule(schema, path))
  return writer.text
}

/** Keywords that say nothing about the value. */
const annotations = new Set([
  'title',
  'description',
  'default',
  'examples',
  '$schema',
  '$id',
  '$comment',
  '$defs',
  'definitions',
  'deprecated',
  'readOnly',
  'writeOnly',
  'strict',
])
const known = new Set([
  'type',
  'enum',
  'const',
  'anyOf',
  'oneOf',
  'allOf',
  '$ref',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'prefixItems',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'pattern',
  'format',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
])

class SchemaWriter {
  readonly #root: unknown
  readonly #rules = new Map<string, string>()
  /** Rules of `$ref` targets, which may refer to themselves. */
  readonly #references = new Map<string, string>()

  constructor(root: unknown) {
    this.#root = root
  }

  get text(): string {
    return [...this.#rules].map(([name, rule]) => `${name} ::= ${rule}`).join('\n')
  }

  define(name: string, rule: string): void {
    this.#rules.set(name, rule)
  }

  rule(value: unknown, path: string): string {
    if (value === true || isEmpty(value)) return this.#basic('value')
    const schema = asSchema(value, path)
    for (const keyword of Object.keys(schema))
      if (!known.has(keyword) && !annotations.has(keyword)) throw cannot(path, keyword)
    if (schema['$ref'] !== undefined) return this.#reference(schema['$ref'], path)
    if (schema['const'] !== undefined) return literal(JSON.stringify(schema['const']))
    if (schema['enum'] !== undefined)
      return choice((schema['enum'] as unknown[]).map((each) => literal(JSON.stringify(each))))
    const { anyOf = schema['oneOf'] } = schema
    if (anyOf !== undefined) return this.#alternatives(schema, anyOf as unknown[], path)
    if (schema['allOf'] !== undefined) return this.rule(this.#merged(schema, path), path)
    return this.#typed(schema, path)
  }

  #typed(schema: Schema, path: string): string {
    const { type = typeByKeywords(schema) } = schema
    if (Array.isArray(type)) return choice(type.map((each) => this.rule({ ...schema, type: each as string }, path)))
    if (type === undefined) return this.#basic('value')
    if (type === 'object') return this.#object(schema, path)
    if (type === 'array') return this.#array(schema, path)
    if (type === 'string') return this.#string(schema, path)
    if (type === 'integer') return this.#integer(schema, path)
    if (type === 'number') return this.#number(schema, path)
    if (type === 'boolean') return choice([literal('true'), literal('false')])
    if (type === 'null') return literal('null')
    throw cannot(path, `type ${JSON.stringify(type)}`)
  }

  #reference(reference: unknown, path: string): string {
    const target = String(reference)
    const seen = this.#references.get(target)
    if (seen !== undefined) return seen
    const name = `ref-${this.#references.size}`
    this.#references.set(target, name)
    this.define(name, this.rule(resolve(this.#root, target, path), path))
    return name
  }

  /** The alternatives, each with the keywords that stand beside them. */
  #alternatives(schema: Schema, alternatives: unknown[], path: string): string {
    const { anyOf: _, oneOf: __, ...rest } = schema
    return choice(
      alternatives.map((each, index) => this.rule(merge([rest, asSchema(each, path)], path), `${path}.anyOf.${index}`)),
    )
  }

  #merged({ allOf, ...rest }: Schema, path: string): Schema {
    const parts = (allOf as unknown[]).map((each) => {
      const part = asSchema(each, path)
      return part['$ref'] === undefined ? part : asSchema(resolve(this.#root, String(part['$ref']), path), path)
    })
    return merge([rest, ...parts], path)
  }

  /** The required members, then any of the others, in the order of the schema. */
  #object(schema: Schema, path: string): string {
    const properties = (schema['properties'] ?? {}) as Schema
    const required = new Set((schema['required'] ?? []) as string[])
    const names = [...new Set([...Object.keys(properties), ...required])]
    const member = (name: string): string =>
      sequence([
        literal(`${JSON.stringify(name)}:`),
        this.#basic('space'),
        this.rule(properties[name] ?? true, `${path}.properties.${name}`),
      ])
    const comma = sequence([literal(','), this.#basic('space')])
    const first = names.filter((name) => required.has(name)).map(member)
    const others = names.filter((name) => !required.has(name)).map(member)
    const extra = this.#extraMember(schema, names.length === 0, path)
    const tail = [
      ...others.map((each) => optional(sequence([comma, each]))),
      ...(extra ? [repeat(sequence([comma, extra]), 0)] : []),
    ]
    if (first.length > 0) {
      const head = first.flatMap((each, index) => (index === 0 ? [each] : [comma, each]))
      return sequence([literal('{'), ...head, ...tail, literal('}')])
    }
    // Any of the others can be the first one, without a comma before it.
    const starts = others.map((each, index) => sequence([each, ...tail.slice(index + 1)]))
    if (extra) starts.push(sequence([extra, repeat(sequence([comma, extra]), 0)]))
    return sequence([literal('{'), ...(starts.length > 0 ? [optional(choice(starts))] : []), literal('}')])
  }

  /** A member besides those of `properties`. A schema that names none allows any. */
  #extraMember(schema: Schema, isFree: boolean, path: string): string | undefined {
    const { additionalProperties: extra = isFree } = schema
    if (extra === false) return undefined
    // A free name could repeat one of `properties`, with a value that the schema forbids.
    if (!isFree) return undefined
    const value = this.rule(extra, `${path}.additionalProperties`)
    return sequence([this.#basic('string'), literal(':'), this.#basic('space'), value])
  }

  #array(schema: Schema, path: string): string {
    const prefix = ((schema['prefixItems'] ?? []) as unknown[]).map((each, index) =>
      this.rule(each, `${path}.prefixItems.${index}`),
    )
    const comma = sequence([literal(','), this.#basic('space')])
    const min = count(schema['minItems'], 0)
    const max = count(schema['maxItems'], Infinity)
    const rest = schema['items'] === false ? undefined : this.rule(schema['items'] ?? true, `${path}.items`)
    if (prefix.length > 0) {
      const head = prefix.flatMap((each, index) => (index === 0 ? [each] : [comma, each]))
      const more =
        rest && schema['items'] !== undefined
          ? [repeat(sequence([comma, rest]), Math.max(0, min - prefix.length), Math.max(0, max - prefix.length))]
          : []
      return sequence([literal('['), ...head, ...more, literal(']')])
    }
    if (max === 0 || rest === undefined) return literal('[]')
    const items = sequence([rest, repeat(sequence([comma, rest]), Math.max(0, min - 1), max - 1)])
    return sequence([literal('['), min === 0 ? optional(items) : items, literal(']')])
  }

  #string(schema: Schema, path: string): string {
    const { pattern, format } = schema
    if (pattern !== undefined) {
      if (schema['minLength'] !== undefined || schema['maxLength'] !== undefined)
        throw cannot(path, 'pattern beside a length')
      return sequence([literal('"'), patternRule(String(pattern), this.#basic('char'), path), literal('"')])
    }
    if (format !== undefined && formats[String(format)])
      return sequence([literal('"'), formats[String(format)]!, literal('"')])
    const min = count(schema['minLength'], 0)
    const max = count(schema['maxLength'], Infinity)
    if (min === 0 && max === Infinity) return this.#basic('string')
    return sequence([literal('"'), repeat(this.#basic('char'), min, max), literal('"')])
  }

  #integer(schema: Schema, path: string): string {
    const [low, high] = bounds(schema, path, 1)
    return low === -Infinity && high === Infinity ? this.#basic('integer') : integerRange(low, high)
  }

  /** A grammar cannot compare fractions, except with 0. */
  #number(schema: Schema, path: string): string {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema
    if (maximum !== undefined || exclusiveMaximum !== undefined || exclusiveMinimum !== undefined)
      throw cannot(path, 'a bound of a number')
    if (minimum === undefined) return this.#basic('number')
    if (minimum !== 0) throw cannot(path, 'minimum of a number, other than 0')
    return this.#basic('positive')
  }

  #basic(name: string): string {
    const rule = basics[name]!
    if (!this.#rules.has(name)) {
      this.define(name, rule)
      for (const other of Object.keys(basics))
        if (new RegExp(`(?<![\\w-])${other}(?![\\w-])`).test(rule)) this.#basic(other)
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

const formats: Record<string, string> = {
  date: '[0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | "1" [0-9] | "2" [0-8])',
  time: '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("Z" | [-+] [01] [0-9] ":" [0-5] [0-9])',
  uuid: '[0-9a-f]{8} "-" [0-9a-f]{4} "-" [0-9a-f]{4} "-" [0-9a-f]{4} "-" [0-9a-f]{12}',
}
formats['date-time'] = `${formats['date']} "T" ${formats['time']}`

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).every((name) => annotations.has(name))
}

function asSchema(value: unknown, path: string): Schema {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Schema
  if (value === true) return {}
  throw cannot(path, `the schema ${JSON.stringify(value)}`)
}

function typeByKeywords(schema: Schema): string | undefined {
  if ('properties' in schema || 'required' in schema || 'additionalProperties' in schema) return 'object'
  if ('items' in schema || 'prefixItems' in schema || 'minItems' in schema || 'maxItems' in schema) return 'array'
  return 'pattern' in schema || 'minLength' in schema || 'maxLength' in schema || 'format' in schema
    ? 'string'
    : undefined
}

/** One schema with the keywords of all. Members of objects are put together; anything else must not differ. */
function merge(parts: readonly Schema[], path: string): Schema {
  const merged: Schema = {}
  for (const [keyword, value] of parts.flatMap((part) => Object.entries(part))) {
    const before = merged[keyword]
    if (annotations.has(keyword) || before === undefined) merged[keyword] = value
    else if (keyword === 'required') merged[keyword] = [...new Set([...(before as string[]), ...(value as string[])])]
    else if (keyword === 'properties') merged[keyword] = { ...(before as Schema), ...(value as Schema) }
    else if (JSON.stringify(before) !== JSON.stringify(value)) throw cannot(path, `two values of ${keyword}`)
  }
  return merged
}

function resolve(root: unknown, reference: string, path: string): unknown {
  if (!reference.startsWith('#')) throw cannot(path, `$ref ${reference}`)
  let at = root
  for (const step of reference.slice(1).split('/').filter(Boolean)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) throw cannot(path, `$ref ${reference}`)
    at = (at as Schema)[name]
  }
  return at
}

function count(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : otherwise
}

function bounds(schema: Schema, path: string, step: number): [number, number] {
  const {
    minimum,
    maximum,
    exclusiveMinimum: above,
    exclusiveMaximum: below,
  } = schema as Record<string, number | undefined>
  const low = Math.max(
    minimum === undefined ? -Infinity : Math.ceil(minimum),
    above === undefined ? -Infinity : Math.floor(above) + step,
  )
  const high = Math.min(
    maximum === undefined ? Infinity : Math.floor(maximum),
    below === undefined ? Infinity : Math.ceil(below) - step,
  )
  if (low > high) throw cannot(path, `a minimum of ${low} and a maximum of ${high}`)
  return [low, high]
}

function cannot(path: string, keyword: string): Error {
  return apiError('invalid_request_error', `${path}: this model's grammar cannot hold ${keyword}.`)
}
