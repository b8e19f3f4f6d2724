import { checkJson } from 'colloquy/protocol'
import { integerRange } from './integer-range.ts'
import {
  annotations,
  asSchema,
  bounds,
  cannot,
  countsOf,
  isEmpty,
  listOf,
  merge,
  namesOf,
  resolve,
  type Schema,
  typeByKeywords,
} from './keywords.ts'
import { patternRule } from './pattern.ts'
import { RuleBook } from './rule-book.ts'
import { choice, literal, mostCharacters, oneOf, optional, repeat, separated, sequence } from './rules.ts'

/**
 * A grammar for texts that satisfy the schema, in the notation of llama.cpp.
 *
 * Every text of the grammar is valid. A keyword that a grammar cannot hold is an `invalid_request_error` that names it.
 *
 * @param path the place of the schema in the request, for errors.
 */
export function jsonGrammar(schema: unknown, path: string): string {
  const book = new RuleBook()
  book.define('root', new SchemaWriter(schema, book).rule(schema, path))
  const { text } = book
  if (text.length > mostCharacters) throw cannot(path, 'a schema of this size')
  return text
}

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

/** Schemas inside each other, references included. */
const mostLevels = 200
/** Schemas that are read in all. References and alternatives may read one several times. */
const mostSchemas = 20_000

class SchemaWriter {
  readonly #root: unknown
  readonly #book: RuleBook
  /** Rules of `$ref` targets, which may refer to themselves. */
  readonly #references = new Map<string, string>()
  /** Targets of `$ref` whose rules have written nothing yet: a rule that began with itself would have no end. */
  #begun: ReadonlySet<string> = new Set()
  #level = 0
  #schemas = 0

  constructor(root: unknown, book: RuleBook) {
    this.#root = root
    this.#book = book
  }

  rule(value: unknown, path: string): string {
    if (value === true || isEmpty(value)) return this.#book.basic('value')
    if (this.#level === mostLevels) throw cannot(path, `more than ${mostLevels} levels`)
    if (++this.#schemas > mostSchemas) throw cannot(path, 'a schema of this size')
    this.#level++
    const rule = this.#ruleOf(asSchema(value, path), path)
    this.#level--
    return this.#book.named(rule)
  }

  #ruleOf(schema: Schema, path: string): string {
    for (const keyword of Object.keys(schema))
      if (!known.has(keyword) && !annotations.has(keyword)) throw cannot(path, keyword)
    if (schema['$ref'] !== undefined) return this.#reference(schema, path)
    if (schema['const'] !== undefined) return this.#values(schema, [schema['const']], path)
    if (schema['enum'] !== undefined) return this.#values(schema, listOf(schema, 'enum', path), path)
    if (schema['anyOf'] !== undefined) return this.#alternatives(schema, 'anyOf', path)
    if (schema['oneOf'] !== undefined) return this.#alternatives(schema, 'oneOf', path)
    if (schema['allOf'] !== undefined) return this.rule(this.#merged(schema, path), path)
    return this.#typed(schema, path)
  }

  #typed(schema: Schema, path: string): string {
    const { type = typeByKeywords(schema) } = schema
    if (Array.isArray(type))
      return choice(listOf(schema, 'type', path).map((each) => this.rule({ ...schema, type: each }, path)))
    if (type === undefined) return this.#book.basic('value')
    if (type === 'object') return this.#consuming(() => this.#object(schema, path))
    if (type === 'array') return this.#consuming(() => this.#array(schema, path))
    if (type === 'string') return this.#string(schema, path)
    if (type === 'integer') return this.#integer(schema, path)
    if (type === 'number') return this.#number(schema, path)
    if (type === 'boolean') return choice([literal('true'), literal('false')])
    if (type === 'null') return literal('null')
    throw cannot(path, `type ${JSON.stringify(type)}`)
  }

  /** The values that satisfy the keywords beside them. */
  #values({ enum: _, const: __, ...rest }: Schema, values: readonly unknown[], path: string): string {
    const fitting = values.filter((value) => checkJson(rest, value).length === 0)
    if (fitting.length === 0) throw cannot(path, 'values of which none fits the other keywords')
    return oneOf(fitting.map((value) => JSON.stringify(value)))
  }

  #reference({ $ref, ...rest }: Schema, path: string): string {
    const target = String($ref)
    const schema = resolve(this.#root, target, path)
    if (!isEmpty(rest)) return this.rule(merge([asSchema(schema, path), rest], path), path)
    if (this.#begun.has(target)) throw cannot(path, `$ref ${target}, which is itself`)
    const seen = this.#references.get(target)
    if (seen !== undefined) return seen
    const name = `ref-${this.#references.size}`
    this.#references.set(target, name)
    const begun = this.#begun
    this.#begun = new Set([...begun, target])
    this.#book.define(name, this.rule(schema, path))
    this.#begun = begun
    return name
  }

  /** Writes a rule that begins with a bracket, behind which any reference is possible. */
  #consuming(write: () => string): string {
    const begun = this.#begun
    this.#begun = new Set()
    const rule = write()
    this.#begun = begun
    return rule
  }

  /** The alternatives, each with the keywords that stand beside them. */
  #alternatives(schema: Schema, keyword: 'anyOf' | 'oneOf', path: string): string {
    const { [keyword]: _, ...rest } = schema
    return choice(
      listOf(schema, keyword, path).map((each, index) =>
        this.rule(merge([rest, asSchema(each, path)], path), `${path}.${keyword}.${index}`),
      ),
    )
  }

  #merged(schema: Schema, path: string): Schema {
    const { allOf: _, ...rest } = schema
    const parts = listOf(schema, 'allOf', path).map((each) => {
      const part = asSchema(each, path)
      return part['$ref'] === undefined ? part : asSchema(resolve(this.#root, String(part['$ref']), path), path)
    })
    return merge([rest, ...parts], path)
  }

  /** The required members, then any of the others, in the order of the schema. */
  #object(schema: Schema, path: string): string {
    const properties = asSchema(schema['properties'] ?? {}, `${path}.properties`)
    const required = new Set(namesOf(schema['required'] ?? [], path))
    const names = [...new Set([...Object.keys(properties), ...required])]
    const member = (name: string): string =>
      this.#book.named(
        sequence([
          literal(`${JSON.stringify(name)}:`),
          this.#book.basic('space'),
          this.rule(Object.hasOwn(properties, name) ? properties[name] : true, `${path}.properties.${name}`),
        ]),
      )
    const comma = sequence([literal(','), this.#book.basic('space')])
    const first = names.filter((name) => required.has(name)).map(member)
    const others = names.filter((name) => !required.has(name)).map(member)
    const extra = this.#extraMember(schema, names.length === 0, path)
    // From the last member to the first: the rule for the members that follow, and for a beginning without a comma.
    let following = extra ? [repeat(sequence([comma, extra]), 0)] : []
    const starts = extra ? [sequence([extra, ...following])] : []
    for (const each of others.toReversed()) {
      starts.unshift(sequence([each, ...following]))
      following = [this.#book.named(sequence([optional(sequence([comma, each])), ...following]))]
    }
    if (first.length > 0) return sequence([literal('{'), ...separated(first, comma), ...following, literal('}')])
    return sequence([literal('{'), ...(starts.length > 0 ? [optional(choice(starts))] : []), literal('}')])
  }

  /** A member besides those of `properties`. A schema that names none allows any. */
  #extraMember(schema: Schema, isFree: boolean, path: string): string | undefined {
    const { additionalProperties: extra = isFree } = schema
    if (extra === false) return undefined
    // A free name could repeat one of `properties`, with a value that the schema forbids.
    if (!isFree) return undefined
    const value = this.rule(extra, `${path}.additionalProperties`)
    return sequence([this.#book.basic('string'), literal(':'), this.#book.basic('space'), value])
  }

  #array(schema: Schema, path: string): string {
    const { prefixItems = [], items } = schema
    const [min, max] = countsOf(schema, 'minItems', 'maxItems', path)
    if (!Array.isArray(prefixItems)) throw cannot(path, `prefixItems ${JSON.stringify(prefixItems)}`)
    const first = prefixItems.slice(0, max).map((each, index) => this.rule(each, `${path}.prefixItems.${index}`))
    const least = Math.max(0, min - first.length)
    if (items === false && least > 0) throw cannot(path, `minItems ${min} beside items false`)
    // A tuple without `items` ends with its last item, if it may.
    const most = items === false || (items === undefined && first.length > 0) ? least : max - first.length
    if (most === 0) return sequence([literal('['), ...separated(first, literal(', ')), literal(']')])
    const comma = sequence([literal(','), this.#book.basic('space')])
    const item = this.rule(items ?? true, `${path}.items`)
    const more = this.#book.named(sequence([comma, item]))
    if (first.length > 0)
      return sequence([literal('['), ...separated(first, comma), repeat(more, least, most), literal(']')])
    const all = this.#book.named(sequence([item, repeat(more, Math.max(0, least - 1), most - 1)]))
    return sequence([literal('['), least === 0 ? optional(all) : all, literal(']')])
  }

  #string(schema: Schema, path: string): string {
    const { pattern, format } = schema
    const [min, max] = countsOf(schema, 'minLength', 'maxLength', path)
    if (pattern !== undefined) {
      if (min > 0 || max < Infinity) throw cannot(path, 'pattern beside a length')
      return sequence([literal('"'), patternRule(String(pattern), this.#book.basic('char'), path), literal('"')])
    }
    const known = formats.get(String(format))
    if (known !== undefined) return sequence([literal('"'), known, literal('"')])
    if (min === 0 && max === Infinity) return this.#book.basic('string')
    return sequence([literal('"'), repeat(this.#book.basic('char'), min, max), literal('"')])
  }

  #integer(schema: Schema, path: string): string {
    const [low, high] = bounds(schema, path)
    return low === -Infinity && high === Infinity ? this.#book.basic('integer') : integerRange(low, high)
  }

  /** A grammar cannot compare fractions, except with 0. */
  #number(schema: Schema, path: string): string {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema
    if (maximum !== undefined || exclusiveMaximum !== undefined || exclusiveMinimum !== undefined)
      throw cannot(path, 'a bound of a number')
    if (minimum === undefined) return this.#book.basic('number')
    if (minimum !== 0) throw cannot(path, 'minimum of a number, other than 0')
    return this.#book.basic('positive')
  }
}

const date = '[0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | "1" [0-9] | "2" [0-8])'
const time = '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("Z" | [-+] [01] [0-9] ":" [0-5] [0-9])'

const formats = new Map([
  ['date', date],
  ['time', time],
  ['date-time', `${date} "T" ${time}`],
  ['uuid', '[0-9a-f]{8} "-" [0-9a-f]{4} "-" [0-9a-f]{4} "-" [0-9a-f]{4} "-" [0-9a-f]{12}'],
])
