import { isObject } from './json-object.ts'
import { parseRegex, type Regex, RegexError, testRegex } from './regex.ts'

/** A JSON Schema, draft 2020-12, as a plain object. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/** A reason why a value does not satisfy a schema. */
export interface JsonIssue {
  /** The path of the value from the root: `['days', 0]`. */
  path: Array<string | number>
  /** The expected and the found value. */
  message: string
}

/**
 * Checks a JSON value against a schema. Returns the issues, or an empty list if the value satisfies the schema.
 *
 * Supported keywords: `type`, `enum`, `const`, `properties`, `required`, `additionalProperties`, `patternProperties`,
 * `propertyNames`, `minProperties`, `maxProperties`, `items`, `prefixItems`, `minItems`, `maxItems`, `uniqueItems`,
 * `minLength`, `maxLength`, `pattern`, `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf`, `anyOf`,
 * `oneOf`, `allOf`, `not` and a `$ref` into the schema itself. Other keywords are annotations, `format` too, as in the
 * standard.
 *
 * @example
 * ```ts
 * import { checkJson, describeIssues } from 'colloquy/protocol'
 *
 * const schema = { type: 'object', properties: { days: { type: 'integer' } }, required: ['days'] } as const
 * console.log(describeIssues(checkJson(schema, { days: 'two' }))) // days: must be an integer: found "two"
 * ```
 */
export function checkJson(
  schema: JsonSchema | boolean,
  value: unknown,
  { budget = { steps: mostSteps }, matches = matchesPattern }: CheckJsonOptions = {},
): JsonIssue[] {
  const issues: JsonIssue[] = []
  check(schema, value, { root: schema, path: [], issues, refs: 0, matches, budget })
  return issues
}

/** A schema with choices inside choices can take exponentially many steps. This many take a few seconds. */
const mostSteps = 5_000_000

/** Options of `checkJson()`. */
export interface CheckJsonOptions {
  /** The most subschemas to apply. Counted down; a `RangeError` is thrown at 0. Default 5,000,000. */
  budget?: { steps: number }
  /** Tests a `pattern`. Default: a `RegExp` with the flag `u`; one that repeats a group, in time that is linear in the text. */
  matches?: (pattern: string, text: string) => boolean
}

/** Formats issues as lines: `days.0: must be an integer: found "two"`. */
export function describeIssues(issues: readonly JsonIssue[]): string {
  const lines = issues.slice(0, 10).map(({ path, message }) => (path.length ? `${path.join('.')}: ` : '') + message)
  if (issues.length > 10) lines.push(`and ${issues.length - 10} more`)
  return lines.join('\n')
}

/** Says that a value does not satisfy a schema, and the first five reasons. */
export function describeMismatch(issues: readonly JsonIssue[]): string {
  const lines = issues.slice(0, 5).map((issue) => `\n  - ${describeIssues([issue])}`)
  const more = issues.length > 5 ? `\n  ... and ${issues.length - 5} more issue(s)` : ''
  return `Schema validation failed with ${issues.length} issue(s):${lines.join('')}${more}`
}

interface Position {
  root: unknown
  path: Array<string | number>
  issues: JsonIssue[]
  /** References followed at this depth of the value, to stop at a schema that only refers to itself. */
  refs: number
  matches: (pattern: string, text: string) => boolean
  /** The same at all positions. */
  budget: { steps: number }
}

const maxRefs = 16
const maxLevels = 1_000

function check(schema: unknown, value: unknown, at: Position): void {
  if (schema === true || schema === undefined) return
  if (at.budget.steps-- <= 0) throw new RangeError('Cannot check the value: the schema takes too many steps')
  if (at.path.length > maxLevels) return report(at, `must not be nested more than ${maxLevels} levels deep`)
  if (schema === false) return report(at, `must be left out: found ${preview(value)}`)
  if (!isObject(schema)) return
  if (typeof schema.$ref === 'string') checkReference(schema.$ref, value, at)
  if (schema.type !== undefined && !typesOf(schema).some((type) => isOfType(type, value)))
    return report(at, `must be ${typesOf(schema).map(withArticle).join(' or ')}: found ${preview(value)}`)
  if (Array.isArray(schema.enum) && !schema.enum.some((item) => isEqual(item, value)))
    report(at, `must be one of ${listed(schema.enum.map(preview))}: found ${preview(value)}`)
  if ('const' in schema && !isEqual(schema.const, value))
    report(at, `must be ${preview(schema.const)}: found ${preview(value)}`)
  if (typeof value === 'string') checkString(schema, value, at)
  else if (typeof value === 'number') checkNumber(schema, value, at)
  else if (Array.isArray(value)) checkArray(schema, value, at)
  else if (isObject(value)) checkObject(schema, value, at)
  checkCombinations(schema, value, at)
}

function checkReference(reference: string, value: unknown, at: Position): void {
  if (at.refs >= maxRefs) return
  const target = resolve(reference, at.root)
  if (target === undefined) return report(at, `cannot be checked: the schema has nothing at ${reference}`)
  check(target, value, { ...at, refs: at.refs + 1 })
}

function resolve(reference: string, root: unknown): unknown {
  if (!reference.startsWith('#')) return undefined
  let target = root
  for (const part of reference.slice(1).split('/').slice(1)) {
    const key = decodePointer(part)
    if (!(isObject(target) || Array.isArray(target)) || !Object.hasOwn(target, key)) return undefined
    target = (target as Record<string, unknown>)[key]
  }
  return target
}

/** Decodes a part of a JSON pointer. Invalid percent encoding is left as it is. */
function decodePointer(part: string): string {
  let decoded = part
  try {
    decoded = decodeURIComponent(part)
  } catch (error) {
    if (!(error instanceof URIError)) throw error
  }
  return decoded.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** A group that is repeated, such as `(a+)+`, can take `RegExp` a time that is exponential in the text. */
function matchesPattern(pattern: string, text: string): boolean {
  const regex = /\)[*+{]/.test(pattern) ? linearRegex(pattern) : undefined
  return regex === undefined ? new RegExp(pattern, 'u').test(text) : testRegex(regex, text)
}

/** Undefined for a pattern that is not valid, or has a feature that cannot be matched in linear time. */
function linearRegex(pattern: string): Regex | undefined {
  try {
    return parseRegex(pattern)
  } catch (error) {
    if (error instanceof RegexError) return undefined
    throw error
  }
}

function checkString(schema: JsonSchema, value: string, at: Position): void {
  const { minLength, maxLength, pattern } = schema
  if (typeof minLength === 'number' || typeof maxLength === 'number') {
    // The standard counts code points, not UTF-16 units.
    const length = Array.from(value).length
    if (typeof minLength === 'number' && length < minLength)
      report(at, `must have at least ${counted(minLength, 'character')}: found ${length}`)
    if (typeof maxLength === 'number' && length > maxLength)
      report(at, `must have at most ${counted(maxLength, 'character')}: found ${length}`)
  }
  if (typeof pattern === 'string' && !at.matches(pattern, value))
    report(at, `must match ${pattern}: found ${preview(value)}`)
}

const plurals = { character: 'characters', item: 'items', property: 'properties' }

function counted(count: number, noun: keyof typeof plurals): string {
  return `${count} ${count === 1 ? noun : plurals[noun]}`
}

function checkNumber(schema: JsonSchema, value: number, at: Position): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema
  if (typeof minimum === 'number' && value < minimum) report(at, `must be at least ${minimum}: found ${value}`)
  if (typeof maximum === 'number' && value > maximum) report(at, `must be at most ${maximum}: found ${value}`)
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum)
    report(at, `must be more than ${exclusiveMinimum}: found ${value}`)
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum)
    report(at, `must be less than ${exclusiveMaximum}: found ${value}`)
  if (typeof multipleOf === 'number' && !isMultiple(value, multipleOf))
    report(at, `must be a multiple of ${multipleOf}: found ${value}`)
}

// A quotient that is an integer except for rounding counts: 0.3 / 0.1 is 2.9999999999999996.
function isMultiple(value: number, of: number): boolean {
  const quotient = value / of
  return Math.abs(quotient - Math.round(quotient)) <= Math.abs(quotient) * Number.EPSILON
}

function checkArray(schema: JsonSchema, value: unknown[], at: Position): void {
  const { items, minItems, maxItems, uniqueItems } = schema
  const prefix = Array.isArray(schema.prefixItems) ? schema.prefixItems : []
  if (typeof minItems === 'number' && value.length < minItems)
    report(at, `must have at least ${counted(minItems, 'item')}: found ${value.length}`)
  if (typeof maxItems === 'number' && value.length > maxItems)
    report(at, `must have at most ${counted(maxItems, 'item')}: found ${value.length}`)
  if (uniqueItems === true && new Set(value.map(canonical)).size < value.length)
    report(at, `must not have an item twice: found ${preview(value)}`)
  value.forEach((item, index) => check(index < prefix.length ? prefix[index] : items, item, inside(at, index)))
}

function checkObject(schema: JsonSchema, value: Record<string, unknown>, at: Position): void {
  const properties = isObject(schema.properties) ? schema.properties : {}
  const patterns = isObject(schema.patternProperties) ? Object.entries(schema.patternProperties) : []
  const keys = Object.keys(value)
  if (Array.isArray(schema.required))
    for (const key of schema.required.filter((each) => typeof each === 'string'))
      if (!Object.hasOwn(value, key)) report(inside(at, key), 'is required and missing')
  if (typeof schema.minProperties === 'number' && keys.length < schema.minProperties)
    report(at, `must have at least ${counted(schema.minProperties, 'property')}: found ${keys.length}`)
  if (typeof schema.maxProperties === 'number' && keys.length > schema.maxProperties)
    report(at, `must have at most ${counted(schema.maxProperties, 'property')}: found ${keys.length}`)
  for (const key of keys) {
    const matching = patterns.filter(([pattern]) => at.matches(pattern, key)).map(([, schema]) => schema)
    if (Object.hasOwn(properties, key)) matching.push(properties[key])
    if (schema.propertyNames !== undefined) check(schema.propertyNames, key, inside(at, key))
    if (matching.length) for (const each of matching) check(each, value[key], inside(at, key))
    else if (schema.additionalProperties === false) report(inside(at, key), unknownKey(key, Object.keys(properties)))
    else check(schema.additionalProperties, value[key], inside(at, key))
  }
}

function unknownKey(key: string, known: string[]): string {
  return `is not a property of the schema, which has ${known.length ? listed(known) : 'none'}: found ${cut(key)}`
}

function checkCombinations(schema: JsonSchema, value: unknown, at: Position): void {
  if (Array.isArray(schema.allOf)) for (const each of schema.allOf) check(each, value, at)
  if (Array.isArray(schema.anyOf)) checkChoice(schema.anyOf, value, at, Infinity)
  if (Array.isArray(schema.oneOf)) checkChoice(schema.oneOf, value, at, 1)
  if (schema.not !== undefined && issuesOf(schema.not, value, at).length === 0)
    report(at, `must not satisfy ${preview(schema.not)}: found ${preview(value)}`)
}

function checkChoice(choices: unknown[], value: unknown, at: Position, most: number): void {
  const failures = choices.map((choice) => issuesOf(choice, value, at)).filter((issues) => issues.length > 0)
  const fitting = choices.length - failures.length
  if (fitting > most) return report(at, `must satisfy one of ${choices.length} choices: it satisfies ${fitting}`)
  if (fitting > 0) return
  // Report the choice that failed deepest in the value: it is probably the intended one.
  const [closest] = failures.toSorted((a, b) => depthOf(b) - depthOf(a))
  if (closest && depthOf(closest) > at.path.length) at.issues.push(...closest)
  else report(at, `must satisfy one of ${choices.length} choices: found ${preview(value)}`)
}

function depthOf(issues: JsonIssue[]): number {
  return Math.max(...issues.map(({ path }) => path.length))
}

function issuesOf(schema: unknown, value: unknown, at: Position): JsonIssue[] {
  const issues: JsonIssue[] = []
  check(schema, value, { ...at, issues })
  return issues
}

function inside(at: Position, key: string | number): Position {
  return { ...at, path: [...at.path, key], refs: 0 }
}

function report({ issues, path }: Position, message: string): void {
  issues.push({ path, message })
}

function typesOf({ type }: JsonSchema): string[] {
  return Array.isArray(type) ? type : [String(type)]
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'integer':
      return Number.isInteger(value)
    default:
      return typeof value === type
  }
}

function withArticle(type: string): string {
  if (type === 'null') return type
  return `${/^[aio]/.test(type) ? 'an' : 'a'} ${type}`
}

function isEqual(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && canonical(a) === canonical(b))
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (isObject(item) ? withSortedKeys(item) : item)) ?? 'undefined'
}

function withSortedKeys(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function preview(value: unknown): string {
  try {
    return cut(JSON.stringify(value) ?? String(value))
  } catch {
    return 'a value that JSON cannot hold'
  }
}

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

const mostListed = 50

/** The model reads these texts: thousands of names would fill its prompt. */
function listed(names: readonly string[]): string {
  const rest = names.length - mostListed
  return rest > 0 ? `${names.slice(0, mostListed).join(', ')} and ${rest} more` : names.join(', ')
}
