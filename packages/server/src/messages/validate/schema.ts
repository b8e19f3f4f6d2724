import { type JsonSchema, type UnlistedType, apiError } from 'colloquy/protocol'
import { eitherOf, fieldsShape, shaped, shapeOf, taggedShape } from './shape.ts'

/** How strictly a request's fields are checked. */
export interface Context {
  /** Accepts fields, block types and models that this version does not know. */
  lenient: boolean
  version: string
  betas: ReadonlySet<string>
}

/** Returns the value unchanged if it is a `T`, and throws the API's error, which names the path, if not. */
export type Schema<T> = (value: unknown, path: string, context: Context) => T

export interface Optional<T> {
  optional: Schema<T>
  /** Returns false if the API does not know the field, because a beta or an API version is missing. Default: known. */
  isKnown?: (context: Context) => boolean
  /** Keywords of its JSON Schema besides those of the check. */
  about?: JsonSchema
}

type Fields<T> = { [K in keyof T]-?: {} extends Pick<T, K> ? Optional<T[K]> : Schema<T[K]> }

/** As `Schema`, for values that may be large: yields between the parts, so that the caller can let other work run. */
export interface Steps<T> {
  steps: (value: unknown, path: string, context: Context) => Generator<void, T>
}

// Longer than any sentence of the API. Only names and values of the request make a message longer.
const maxMessageCharacters = 4_000

/** Throws the API's error for a field. */
export function refuse(path: string, problem: string): never {
  throw apiError('invalid_request_error', shortened(path ? `${path}: ${problem}` : problem))
}

/** An error message without most of a long value that it quotes. */
export function shortened(message: string): string {
  return message.length <= maxMessageCharacters ? message : `${message.slice(0, maxMessageCharacters)}…`.toWellFormed()
}

/** The API's words for a field that it does not know. */
export const extraInputs = 'Extra inputs are not permitted'

/** An object with these fields and no others. */
export function object<T extends object>(fields: Fields<T>): Schema<T> {
  const known = new Map<string, Schema<unknown> | Optional<unknown>>(Object.entries(fields))
  const check: Schema<T> = (value, path, context) => {
    const given = dictionary(value, path, context)
    for (const [key, field] of known)
      schemaFor(field, key, given, path, context)?.(given[key], join(path, key), context)
    refuseUnknown(given, known, path, context)
    return value as T
  }
  return shaped(check, () => fieldsShape(known))
}

type StepFields<T> = {
  [K in keyof T]-?: {} extends Pick<T, K> ? Optional<T[K]> | OptionalSteps<T[K]> : Schema<T[K]> | Steps<T[K]>
}

interface OptionalSteps<T> {
  optional: Steps<T>
  isKnown?: (context: Context) => boolean
  about?: JsonSchema
}

/** As `object`, in steps. */
export function objectInSteps<T extends object>(fields: StepFields<T>): Steps<T> {
  const known = new Map<string, Field>(Object.entries(fields))
  function* steps(value: unknown, path: string, context: Context): Generator<void, T> {
    const given = dictionary(value, path, context)
    for (const [key, field] of known) {
      const schema = schemaFor(field, key, given, path, context)
      if (typeof schema === 'function') schema(given[key], join(path, key), context)
      else if (schema) yield* schema.steps(given[key], join(path, key), context)
    }
    refuseUnknown(given, known, path, context)
    return value as T
  }
  return shaped({ steps }, () => fieldsShape(known))
}

type AnySchema<T> = Schema<T> | Steps<T>
type Field = AnySchema<unknown> | Optional<unknown> | OptionalSteps<unknown>

function schemaFor(field: Schema<unknown> | Optional<unknown>, ...rest: FieldPlace): Schema<unknown> | undefined
function schemaFor(field: Field, ...rest: FieldPlace): AnySchema<unknown> | undefined
/** The schema to apply to a field of the object: none if it is optional and absent. */
function schemaFor(field: Field, key: string, given: object, path: string, context: Context): unknown {
  const isAbsent = (given as Record<string, unknown>)[key] === undefined
  if (!('optional' in field)) {
    if (isAbsent) refuse(join(path, key), 'Field required')
    return field
  }
  if (isAbsent) return undefined
  if (field.isKnown && !field.isKnown(context) && !context.lenient) refuse(join(path, key), extraInputs)
  return field.optional
}

type FieldPlace = [key: string, given: object, path: string, context: Context]

function refuseUnknown(given: object, known: ReadonlyMap<string, unknown>, path: string, { lenient }: Context): void {
  if (!lenient) for (const key in given) if (!known.has(key)) refuse(join(path, key), extraInputs)
}

export function optional<T>(schema: Schema<T>): Optional<T>
export function optional<T>(schema: Steps<T>): OptionalSteps<T>
export function optional(schema: unknown): unknown {
  return { optional: schema }
}

/** A field that the API knows only with one of these betas. A name that ends in `-` stands for all that begin with it. */
export function beta<T>(schema: Schema<T>, ...names: string[]): Optional<T> {
  const isOn = (value: string): boolean =>
    names.some((name) => (name.endsWith('-') ? value.startsWith(name) : value === name))
  return { optional: schema, isKnown: ({ betas }) => betas.values().some(isOn), about: { 'x-beta': names } }
}

/** A field that the API knows only up to this version. */
export function until<T>(version: string, schema: Schema<T>): Optional<T> {
  return { optional: schema, isKnown: (context) => context.version <= version, about: { 'x-until-version': version } }
}

/** The `type`s that a union lists. Each needs a schema. */
type Kind<T> = Exclude<T extends { type: infer K extends string } ? K : never, UnlistedType>
type OfKind<T, K> = T extends { type: infer L } ? (K extends L ? T : never) : never

/**
 * One of several objects, told apart by `type`, which becomes part of the path, as in `tool_choice.tool.name`.
 * `more` holds the schemas of types that the union does not list.
 */
export function tagged<T>(
  listed: { [K in Kind<T>]: Schema<OfKind<T, K>> },
  more: Record<string, Schema<unknown>> = {},
): Schema<T> {
  const schemas: Record<string, Schema<unknown>> = { ...(listed as Record<string, Schema<unknown>>), ...more }
  const expected = Object.keys(schemas)
    .map((name) => `'${name}'`)
    .join(', ')
  const byTag = new Map(Object.entries(schemas))
  const check: Schema<T> = (value, path, context) => {
    const kind = dictionary(value, path, context).type
    if (kind === undefined) refuse(join(path, 'type'), 'Field required')
    if (typeof kind === 'object' && kind !== null) refuse(join(path, 'type'), 'Input should be a valid string')
    const schema = byTag.get(String(kind))
    if (schema) return schema(value, join(path, String(kind)), context) as T
    if (context.lenient && typeof kind === 'string') return value as T
    refuse(path, `Input tag '${String(kind)}' found using 'type' does not match any of the expected tags: ${expected}`)
  }
  return shaped(check, () => taggedShape(byTag))
}

export function array<T>(item: Schema<T>, { most = Infinity }: { most?: number } = {}): Schema<T[]> {
  const check: Schema<T[]> = (value, path, context) => {
    if (!Array.isArray(value)) refuse(path, 'Input should be a valid list')
    if (value.length > most)
      refuse(path, `List should have at most ${most} items after validation, not ${value.length}`)
    for (let index = 0; index < value.length; index++) item(value[index], `${path}.${index}`, context)
    return value as T[]
  }
  return shaped(check, () => listShape(item, most))
}

function listShape(item: object, most: number): JsonSchema {
  return { type: 'array', items: shapeOf(item), ...(most < Infinity && { maxItems: most }) }
}

/** As `array`, in steps: one for each item. With `orString` the value may be a string instead. */
export function arrayInSteps<T>(item: AnySchema<T>, options: { most?: number; orString: true }): Steps<string | T[]>
export function arrayInSteps<T>(item: AnySchema<T>, options?: { most?: number }): Steps<T[]>
export function arrayInSteps<T>(
  item: AnySchema<T>,
  { most = Infinity, orString = false }: { most?: number; orString?: boolean } = {},
): Steps<string | T[]> {
  const checkList = array<unknown>((value) => value, { most })
  function* steps(value: unknown, path: string, context: Context): Generator<void, string | T[]> {
    if (orString && typeof value === 'string') return value
    for (const [index, each] of checkList(value, path, context).entries()) {
      if (typeof item === 'function') item(each, `${path}.${index}`, context)
      else yield* item.steps(each, `${path}.${index}`, context)
      yield
    }
    return value as T[]
  }
  const shape = (): JsonSchema => listShape(item, most)
  return shaped({ steps }, orString ? () => eitherOf({ type: 'string' }, shape()) : shape)
}

export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  const check: Schema<T | null> = (value, path, context) => (value === null ? null : schema(value, path, context))
  return shaped(check, () => eitherOf(shapeOf(schema), { type: 'null' }))
}

/** A string, or a value that satisfies the schema. */
export function stringOr<T>(schema: Schema<T>): Schema<string | T> {
  const check: Schema<string | T> = (value, path, context) =>
    typeof value === 'string' ? value : schema(value, path, context)
  return shaped(check, () => eitherOf({ type: 'string' }, shapeOf(schema)))
}

export function literal<const T extends string | boolean>(...values: T[]): Schema<T> {
  const quoted = values.map((value) => `'${String(value)}'`)
  const expected = quoted.length > 1 ? `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)!}` : quoted[0]!
  const check: Schema<T> = (value, path) => {
    if (!values.includes(value as T)) refuse(path, `Input should be ${expected}`)
    return value as T
  }
  return shaped(check, () => (values.length === 1 ? { const: values[0]! } : { enum: [...values] }))
}

/** `true`, `false`, or a value that satisfies the schema. */
export function booleanOr<T>(schema: Schema<T>): Schema<boolean | T> {
  const check: Schema<boolean | T> = (value, path, context) =>
    typeof value === 'boolean' ? value : schema(value, path, context)
  return shaped(check, () => eitherOf({ type: 'boolean' }, shapeOf(schema)))
}

export interface StringRules {
  least?: number
  most?: number
  pattern?: RegExp
}

export function text({ least = 0, most = Infinity, pattern }: StringRules = {}): Schema<string> {
  const check: Schema<string> = (value, path) => {
    if (typeof value !== 'string') refuse(path, 'Input should be a valid string')
    if (value.length < least) refuse(path, `String should have at least ${least} character${least > 1 ? 's' : ''}`)
    if (value.length > most && lengthOf(value) > most) refuse(path, `String should have at most ${most} characters`)
    if (pattern && !pattern.test(value)) refuse(path, `String should match pattern '${pattern.source}'`)
    return value
  }
  return shaped(check, () => ({
    type: 'string',
    ...(least > 0 && { minLength: least }),
    ...(most < Infinity && { maxLength: most }),
    ...(pattern && { pattern: pattern.source }),
  }))
}

export const string: Schema<string> = text()

/** The API counts code points, not UTF-16 units. */
function lengthOf(value: string): number {
  let length = 0
  for (const _ of value) length++
  return length
}

export const boolean: Schema<boolean> = shaped(
  (value: unknown, path: string) => {
    if (typeof value !== 'boolean') refuse(path, 'Input should be a valid boolean')
    return value
  },
  () => ({ type: 'boolean' }),
)

export function integer({ least = -Infinity, most = Infinity }: IntegerRules = {}): Schema<number> {
  const check: Schema<number> = (value, path) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) refuse(path, 'Input should be a valid integer')
    return within(value, path, { least, most })
  }
  return shaped(check, () => ({
    type: 'integer',
    ...(least > -Infinity && { minimum: least }),
    ...(most < Infinity && { maximum: most }),
  }))
}

export interface IntegerRules {
  least?: number
  most?: number
}

/** A number of a body or a query within its bounds. Throws the API's 400. */
export function within(value: number, path: string, { least = -Infinity, most = Infinity }: IntegerRules): number {
  if (value < least) refuse(path, `Input should be greater than or equal to ${least}`)
  if (value > most) refuse(path, `Input should be less than or equal to ${most}`)
  return value
}

export function range(least: number, most: number): Schema<number> {
  const check: Schema<number> = (value, path) => {
    if (typeof value !== 'number') refuse(path, 'Input should be a valid number')
    if (value < least || value > most) refuse(path, `range: ${least}..${most}`)
    return value
  }
  return shaped(check, () => ({ type: 'number', minimum: least, maximum: most }))
}

/** Any JSON object. Its fields are not checked. */
export function dictionary(value: unknown, path: string, _context?: Context): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(path, 'Input should be a valid dictionary')
  return value as Record<string, unknown>
}

const maxDepth = 200

/** Any JSON object, nested at most 200 deep, so that code that walks it does not run out of stack. */
export const json: Schema<{ [key: string]: unknown }> = shaped(
  (value: unknown, path: string, context: Context) => {
    const given = dictionary(value, path, context)
    if (!isShallow(given, maxDepth)) refuse(path, `Input should be nested at most ${maxDepth} levels deep`)
    return given
  },
  () => ({ type: 'object' }),
)

function isShallow(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (left === 0) return false
  for (const inner of Object.values(value)) if (!isShallow(inner, left - 1)) return false
  return true
}

/** The schema, which a lenient server replaces by another one. */
export function strictly<T>(schema: Schema<T>, whenLenient: Schema<T>): Schema<T> {
  const check: Schema<T> = (value, path, context) => (context.lenient ? whenLenient : schema)(value, path, context)
  return shaped(check, () => shapeOf(schema))
}

/** A value that the API returned and takes back unchanged. Only these of its fields are checked. */
export function opaque<T>(fields: Record<string, Schema<unknown> | Optional<unknown>> = {}): Schema<T> {
  const known = new Map(Object.entries(fields))
  const check: Schema<T> = (value, path, context) => {
    const given = json(value, path, context)
    if (!context.lenient)
      for (const [key, field] of known)
        schemaFor(field, key, given, path, context)?.(given[key], join(path, key), context)
    return given as T
  }
  return shaped(check, () => {
    const { additionalProperties: _, ...shape } = fieldsShape(known)
    return known.size > 0 ? shape : { type: 'object' }
  })
}

function join(path: string, key: string): string {
  return path ? `${path}.${key}` : key
}
