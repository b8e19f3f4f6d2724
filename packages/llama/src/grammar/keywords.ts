import { apiError } from 'colloquy/protocol'
import { mostInteger } from './integer-range.ts'
import { mostRepetitions } from './rules.ts'

// Reads the keywords of a JSON Schema of a caller. Any of them may be missing or wrong.

export type Schema = Record<string, unknown>

/** Keywords that say nothing about the value. */
export const annotations: ReadonlySet<string> = new Set([
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

export function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).every((name) => annotations.has(name))
}

export function asSchema(value: unknown, path: string): Schema {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Schema
  if (value === true) return {}
  throw cannot(path, `the schema ${JSON.stringify(value)}`)
}

/** The type that a schema without one seems to mean. */
export function typeByKeywords(schema: Schema): string | undefined {
  return typesByKeyword.find(([, keywords]) => keywords.some((keyword) => keyword in schema))?.[0]
}

const typesByKeyword: [type: string, keywords: string[]][] = [
  ['object', ['properties', 'required', 'additionalProperties']],
  ['array', ['items', 'prefixItems', 'minItems', 'maxItems']],
  ['string', ['pattern', 'minLength', 'maxLength', 'format']],
  ['number', ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']],
]

/** One schema with the keywords of all. Anything but members of objects must not differ. */
export function merge(parts: readonly Schema[], path: string): Schema {
  const merged: Schema = {}
  for (const [keyword, value] of parts.flatMap((part) => Object.entries(part))) {
    const before = merged[keyword]
    if (annotations.has(keyword) || before === undefined) merged[keyword] = value
    else if (keyword === 'required') merged[keyword] = [...namesOf(before, path), ...namesOf(value, path)]
    else if (keyword === 'properties') merged[keyword] = mergedProperties(asSchema(before, path), asSchema(value, path))
    else if (JSON.stringify(before) !== JSON.stringify(value)) throw cannot(path, `two values of ${keyword}`)
  }
  return merged
}

/** A property that both have must satisfy both schemas. */
function mergedProperties(before: Schema, after: Schema): Schema {
  const both = Object.keys(after).filter((name) => Object.hasOwn(before, name))
  return {
    ...before,
    ...after,
    ...Object.fromEntries(both.map((name) => [name, { allOf: [before[name], after[name]] }])),
  }
}

export function resolve(root: unknown, reference: string, path: string): unknown {
  if (!reference.startsWith('#')) throw cannot(path, `$ref ${reference}`)
  let at = root
  for (const step of reference.slice(1).split('/').filter(Boolean)) {
    const name = decoded(step).replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) throw cannot(path, `$ref ${reference}`)
    at = (at as Schema)[name]
  }
  return at
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}

export function listOf(schema: Schema, keyword: string, path: string): unknown[] {
  const value = schema[keyword]
  if (Array.isArray(value) && value.length > 0) return value
  throw cannot(path, `${keyword} ${JSON.stringify(value)}`)
}

export function namesOf(value: unknown, path: string): string[] {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value
  throw cannot(path, `required ${JSON.stringify(value)}`)
}

/** The least and the most of a schema's two keywords. A larger maximum than a grammar can count is lowered. */
export function countsOf(schema: Schema, least: string, most: string, path: string): [min: number, max: number] {
  const min = count(schema, least, path) ?? 0
  const max = count(schema, most, path) ?? Infinity
  if (min > max) throw cannot(path, `${least} ${min} and ${most} ${max}`)
  if (min > mostRepetitions) throw cannot(path, `${least} ${min}`)
  return [min, max === Infinity ? max : Math.min(max, mostRepetitions)]
}

function count(schema: Schema, keyword: string, path: string): number | undefined {
  const value = numberOf(schema, keyword, path)
  if (value === undefined || (Number.isInteger(value) && value >= 0)) return value
  throw cannot(path, `${keyword} ${value}`)
}

function numberOf(schema: Schema, keyword: string, path: string): number | undefined {
  const value = schema[keyword]
  if (value === undefined || typeof value === 'number') return value
  throw cannot(path, `${keyword} ${JSON.stringify(value)}`)
}

/** The least and the greatest integer that a schema allows. */
export function bounds(schema: Schema, path: string): [low: number, high: number] {
  const number = (keyword: string, otherwise: number): number => numberOf(schema, keyword, path) ?? otherwise
  const low = Math.max(Math.ceil(number('minimum', -Infinity)), Math.floor(number('exclusiveMinimum', -Infinity)) + 1)
  const high = Math.min(Math.floor(number('maximum', Infinity)), Math.ceil(number('exclusiveMaximum', Infinity)) - 1)
  if (low > high) throw cannot(path, `a minimum of ${low} and a maximum of ${high}`)
  if (low > mostInteger || high < -mostInteger) throw cannot(path, `an integer beyond ${mostInteger}`)
  return [low, high]
}

export function cannot(path: string, keyword: string): Error {
  const place = path.length > 200 ? `${path.slice(0, 200)}…` : path
  return apiError('invalid_request_error', `${place}: this model's grammar cannot hold ${keyword}.`)
}
