import { checkJson } from '../../protocol/json/json-schema.ts'
import { matching } from './pattern.ts'

/** A JSON Schema of a caller. Any keyword may be missing or invalid. */
type Schema = Record<string, unknown>

/**
 * Makes a value that satisfies a JSON Schema, the same for the same text. Uses values of the text that fit: numbers in their
 * order, an enum value that it names, `key: value` and quoted strings.
 */
export function sample(schema: unknown, text: string): unknown {
  return new Sampler(schema, text).value(schema, [], 0)
}

const maxDepth = 12

class Sampler {
  readonly #root: unknown
  readonly #text: string
  readonly #numbers: number[]

  constructor(root: unknown, text: string) {
    this.#root = root
    this.#text = text
    this.#numbers = (text.match(/-?\d+(\.\d+)?/g) ?? []).map(Number)
  }

  value(given: unknown, path: readonly string[], depth: number): unknown {
    const schema = this.#flatten(given)
    if ('const' in schema) return schema.const
    if (Array.isArray(schema.enum)) return this.#choose(schema.enum)
    const choices = schema.anyOf ?? schema.oneOf
    if (Array.isArray(choices)) return this.#firstFitting(schema, choices, path, depth)
    const type = this.#typeOf(schema)
    if (type === 'object') return this.#object(schema, path, depth)
    if (type === 'array') return this.#array(schema, path, depth)
    if (type === 'string') return this.#string(schema, path.at(-1) ?? '')
    if (type === 'integer' || type === 'number') return this.#number(schema, type === 'integer')
    if (type === 'boolean') return !/\b(no|not|false|never)\b/i.test(this.#text)
    return null
  }

  /** Resolves references and merges `allOf` into one schema. */
  #flatten(given: unknown, seen = 0): Schema {
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

  #firstFitting(schema: Schema, choices: unknown[], path: readonly string[], depth: number): unknown {
    const { anyOf: _anyOf, oneOf: _oneOf, ...rest } = schema
    // Deep in a schema, null ends it soonest.
    const ordered = depth > maxDepth / 2 ? choices.toSorted((a, b) => weight(a) - weight(b)) : choices
    let value: unknown
    for (const choice of ordered) {
      value = this.value(merge(rest, this.#flatten(choice)), path, depth)
      if (checkJson(this.#root as Schema, value).length === 0 || this.#fits({ ...schema, $defs: undefined }, value))
        break
    }
    return value
  }

  #fits(schema: Schema, value: unknown): boolean {
    const root = typeof this.#root === 'object' ? (this.#root as Schema) : {}
    return checkJson({ ...schema, $defs: root.$defs, definitions: root.definitions }, value).length === 0
  }

  #typeOf(schema: Schema): string {
    const { type } = schema
    if (Array.isArray(type)) return (type.find((each) => each !== 'null') as string | undefined) ?? 'null'
    if (typeof type === 'string') return type
    if (schema.properties || schema.required) return 'object'
    if (schema.items || schema.prefixItems) return 'array'
    return schema.minimum !== undefined || schema.maximum !== undefined ? 'number' : 'string'
  }

  #choose(values: unknown[]): unknown {
    const text = this.#text.toLowerCase()
    return values.find((value) => typeof value === 'string' && value && text.includes(value.toLowerCase())) ?? values[0]
  }

  #object(schema: Schema, path: readonly string[], depth: number): Record<string, unknown> {
    const properties = (schema.properties ?? {}) as Record<string, unknown>
    const required = Array.isArray(schema.required) ? (schema.required as string[]) : []
    const result: Record<string, unknown> = {}
    for (const [key, property] of Object.entries(properties)) {
      const isNamed = depth < 2 && this.#stated(key) !== undefined
      if (required.includes(key) || isNamed) result[key] = this.value(property, [...path, key], depth + 1)
    }
    const rest = schema.additionalProperties
    for (const key of required) {
      if (!(key in result)) result[key] = this.value(rest === true ? {} : (rest ?? {}), [...path, key], depth + 1)
    }
    // To reach minProperties, add optional properties first, then other allowed ones.
    const minimum = Number(schema.minProperties ?? 0)
    for (const [key, property] of Object.entries(properties)) {
      if (Object.keys(result).length >= minimum) break
      if (!(key in result)) result[key] = this.value(property, [...path, key], depth + 1)
    }
    for (let extra = 1; Object.keys(result).length < minimum && rest !== false; extra++) {
      result[`key${extra}`] = this.value(rest === true ? {} : (rest ?? {}), path, depth + 1)
    }
    return result
  }

  #array(schema: Schema, path: readonly string[], depth: number): unknown[] {
    const prefix = Array.isArray(schema.prefixItems) ? schema.prefixItems : []
    const least = Number(schema.minItems ?? 0)
    const most = Number(schema.maxItems ?? Infinity)
    const wanted = depth > maxDepth / 2 ? least : Math.min(most, Math.max(least, prefix.length, 1))
    const result = Array.from({ length: wanted }, (_, at) =>
      this.value(prefix[at] ?? schema.items ?? {}, path, depth + 1),
    )
    if (schema.uniqueItems !== true) return result
    const itemSchema = this.#flatten(schema.items)
    return result.map((item, at) => distinct(item, at, itemSchema))
  }

  #string(schema: Schema, key: string): string {
    const least = Number(schema.minLength ?? 0)
    const most = Number(schema.maxLength ?? Infinity)
    if (typeof schema.pattern === 'string') return matching(schema.pattern, least)
    const example = typeof schema.format === 'string' ? formats[schema.format] : undefined
    const text = example ?? this.#stated(key) ?? this.#guess(key)
    const long = text.length < least ? text.padEnd(least, '.') : text
    return [...long].slice(0, most).join('')
  }

  /** The value that the text gives for the key: `city: Paris`, `the unit is celsius`. */
  #stated(key: string): string | undefined {
    const words = key
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .replaceAll(/[_-]+/g, ' ')
      .trim()
    if (!words) return undefined
    const escaped = words.replaceAll(/[^\w\s]/g, '.').replaceAll(' ', String.raw`[\s_-]`)
    const match = new RegExp(
      String.raw`\b${escaped}(?:\s*[:=]\s*|\s+(?:is|of|named|called)\s+)"?([^\n",;.?!]+)`,
      'i',
    ).exec(this.#text)
    return match?.[1]?.trim() || undefined
  }

  #guess(key: string): string {
    if (/city|location|place|country|destination|address/i.test(key)) {
      const place = /\b(?:in|at|for|to|from|of|near)\s+((?:[A-Z][\p{L}-]+)(?:[ ,]+[A-Z][\p{L}-]+)*)/u.exec(this.#text)
      if (place) return place[1]!
    }
    if (/query|question|prompt|text|message|topic|search|subject/i.test(key) && this.#text) return this.#text
    return /["“`']([^"”`'\n]+)["”`']/.exec(this.#text)?.[1] ?? 'example'
  }

  #number(schema: Schema, isInteger: boolean): number {
    const step = Number(schema.multipleOf ?? (isInteger ? 1 : 0))
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema
    const isOk = (value: number): boolean =>
      this.#fits(
        {
          type: isInteger ? 'integer' : 'number',
          minimum,
          maximum,
          exclusiveMinimum,
          exclusiveMaximum,
          ...(step ? { multipleOf: step } : {}),
        },
        value,
      )
    const stated = this.#numbers.findIndex(isOk)
    if (stated >= 0) return this.#numbers.splice(stated, 1)[0]!
    const floor = Number(minimum ?? exclusiveMinimum ?? Math.min(1, Number(maximum ?? exclusiveMaximum ?? 1)))
    const ceiling = Number(maximum ?? exclusiveMaximum ?? floor + 2 * (step || 1))
    const unit = step || 1
    const first = Math.ceil(floor / unit) * unit
    const tries = [1, 0, first, first + unit, Math.floor(ceiling / unit) * unit - unit, (floor + ceiling) / 2]
    return tries.find(isOk) ?? first
  }
}

function distinct(item: unknown, at: number, schema: Schema): unknown {
  if (at === 0) return item
  if (Array.isArray(schema.enum)) return schema.enum[at % schema.enum.length]
  if (typeof item === 'string') return `${item} ${at + 1}`.slice(-Number(schema.maxLength ?? Infinity))
  return typeof item === 'number' ? item + at * Number(schema.multipleOf ?? 1) : item
}

function weight(schema: unknown): number {
  const type = (schema as Schema | null)?.type
  return type === 'null' ? 0 : type === 'object' || type === 'array' || type === undefined ? 2 : 1
}

function merge(left: Schema, right: Schema): Schema {
  const result: Schema = { ...left, ...right }
  if (left.properties && right.properties) result.properties = { ...left.properties, ...right.properties }
  if (Array.isArray(left.required) && Array.isArray(right.required)) {
    result.required = [...new Set([...(left.required as string[]), ...(right.required as string[])])]
  }
  return result
}

function resolve(root: unknown, reference: string): unknown {
  let target = root
  for (const part of reference.split('/').slice(1)) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    target = (target as Record<string, unknown> | undefined)?.[key]
  }
  return target
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
