import type { JsonSchema } from 'colloquy/protocol'
import { refuse } from '../schema.ts'
import { isObject } from './draft-2020-12.ts'

// Structured outputs support a part of JSON Schema only: the part that the API can compile into a grammar.

/** The keywords that the grammar does not support, by type. */
const unsupported: Record<string, readonly string[]> = {
  object: ['maxProperties', 'minProperties', 'patternProperties', 'propertyNames'],
  array: ['contains', 'maxContains', 'maxItems', 'minContains', 'prefixItems', 'uniqueItems'],
  string: ['maxLength', 'minLength'],
  integer: ['exclusiveMaximum', 'exclusiveMinimum', 'maximum', 'minimum', 'multipleOf'],
  number: ['exclusiveMaximum', 'exclusiveMinimum', 'maximum', 'minimum', 'multipleOf'],
}

/** Refuses a schema that the API could not compile into a grammar. */
export function checkGrammar(schema: JsonSchema, path: string): void {
  for (const part of subschemas(schema)) {
    for (const type of typesOf(part)) checkType(part, type, path)
    if (typeof part.pattern === 'string') checkPattern(part.pattern, path)
  }
}

function checkType(schema: JsonSchema, type: string, path: string): void {
  const found = (unsupported[type] ?? []).filter((keyword) => schema[keyword] !== undefined)
  if (found.length === 1) refuse(path, `For '${type}' type, property '${found[0]}' is not supported`)
  if (found.length > 1) refuse(path, `For '${type}' type, properties ${found.join(', ')} are not supported`)
  if (type === 'array' && !['undefined', '0', '1'].includes(String(schema.minItems)))
    refuse(path, "For 'array' type, 'minItems' values other than 0 or 1 are not supported")
  if (type === 'object') checkClosed(schema.additionalProperties, path)
}

function checkClosed(additional: unknown, path: string): void {
  if (additional === false) return
  if (additional === undefined)
    refuse(path, "For 'object' type, 'additionalProperties' must be explicitly set to false")
  refuse(
    path,
    "For 'object' type, 'additionalProperties: object' is not supported. Please set 'additionalProperties' to false",
  )
}

const regexFeatures: ReadonlyArray<readonly [name: string, mark: RegExp]> = [
  ['lookaround', /\(\?<?[=!]/],
  ['backreference', /\\(?:[1-9]|k<)/],
  ['word boundary', /\\[bB]/],
]

function checkPattern(pattern: string, path: string): void {
  // A class without an end ends with the pattern: looking for its end at each bracket takes a minute.
  const withoutClasses = pattern.replaceAll(/\\[^bBk1-9]|\[(?:\\[^]|[^\]\\])*(?:\]|\\?$)/g, '')
  const found = regexFeatures.find(([, mark]) => mark.test(withoutClasses))
  if (found) refuse(path, `Unsupported regex feature in pattern field: ${found[0]}`)
}

const maxStrictTools = 20
const maxOptional = 24
const maxUnions = 16

/** Refuses schemas that together are beyond the limits of the API. */
export function checkGrammarLimits(schemas: readonly JsonSchema[], strictTools: number): void {
  if (strictTools > maxStrictTools)
    refuse(
      '',
      `Too many strict tools (${strictTools}). The maximum number of strict tools supported is ${maxStrictTools}. Try reducing the number of tools marked as strict.`,
    )
  let optional = 0
  let unions = 0
  for (const part of schemas.flatMap((schema) => subschemas(schema).toArray())) {
    const required = new Set(Array.isArray(part.required) ? part.required : [])
    for (const [key, property] of entriesOf(part.properties)) {
      if (!required.has(key)) optional++
      if (isUnion(property)) unions++
    }
  }
  if (optional > maxOptional)
    refuse(
      '',
      `Schemas contains too many optional parameters (${optional}), which would make grammar compilation inefficient. Reduce the number of optional parameters in your tool schemas (limit: ${maxOptional}).`,
    )
  if (unions > maxUnions)
    refuse(
      '',
      `Schemas contains too many parameters with union types (${unions} parameters with type arrays or anyOf). This causes exponential compilation cost. Reduce the number of nullable or union-typed parameters (limit: ${maxUnions} parameters with unions).`,
    )
}

function isUnion(schema: unknown): boolean {
  return isObject(schema) && (Array.isArray(schema.type) || schema.anyOf !== undefined)
}

/** The schema and those inside it. Recursive: schemas are nested at most 200 deep. */
function* subschemas(schema: unknown): Generator<JsonSchema> {
  if (!isObject(schema)) return
  yield schema
  for (const keyword of ['properties', '$defs', 'definitions'])
    for (const [, inner] of entriesOf(schema[keyword])) yield* subschemas(inner)
  for (const keyword of ['items', 'not']) yield* subschemas(schema[keyword])
  for (const keyword of ['anyOf', 'oneOf', 'allOf'])
    for (const inner of Array.isArray(schema[keyword]) ? (schema[keyword] as unknown[]) : []) yield* subschemas(inner)
}

function entriesOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : []
}

function typesOf({ type }: JsonSchema): string[] {
  return Array.isArray(type) ? (type as string[]) : typeof type === 'string' ? [type] : []
}
