import { type UnlistedType, apiError } from 'colloquy/protocol'

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
}

type Fields<T> = { [K in keyof T]-?: {} extends Pick<T, K> ? Optional<T[K]> : Schema<T[K]> }

/** Throws the API's error for a field. */
export function refuse(path: string, problem: string): never {
  throw apiError('invalid_request_error', path ? `${path}: ${problem}` : problem)
}

const extraInputs = 'Extra inputs are not permitted'

/** An object with these fields and no others. */
export function object<T extends object>(fields: Fields<T>): Schema<T> {
  const known = new Map<string, Schema<unknown> | Optional<unknown>>(Object.entries(fields))
  return (value, path, context) => {
    const given = dictionary(value, path, context)
    for (const [key, field] of known) {
      const inner = given[key]
      if (typeof field === 'function') {
        if (inner === undefined) refuse(join(path, key), 'Field required')
        field(inner, join(path, key), context)
      } else if (inner !== undefined) {
        if (field.isKnown && !field.isKnown(context) && !context.lenient) refuse(join(path, key), extraInputs)
        field.optional(inner, join(path, key), context)
      }
    }
    if (!context.lenient) for (const key in given) if (!known.has(key)) refuse(join(path, key), extraInputs)
    return value as T
  }
}

export function optional<T>(schema: Schema<T>): Optional<T> {
  return { optional: schema }
}

/** A field that the API knows only with one of these betas. A name that ends in `-` stands for all that begin with it. */
export function beta<T>(schema: Schema<T>, ...names: string[]): Optional<T> {
  const isOn = (value: string): boolean =>
    names.some((name) => (name.endsWith('-') ? value.startsWith(name) : value === name))
  return { optional: schema, isKnown: ({ betas }) => betas.values().some(isOn) }
}

/** A field that the API knows only up to this version. */
export function until<T>(version: string, schema: Schema<T>): Optional<T> {
  return { optional: schema, isKnown: (context) => context.version <= version }
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
  return (value, path, context) => {
    const kind = dictionary(value, path, context).type
    if (kind === undefined) refuse(path, "Unable to extract tag using discriminator 'type'")
    const schema = byTag.get(String(kind))
    if (schema) return schema(value, join(path, String(kind)), context) as T
    if (context.lenient && typeof kind === 'string') return value as T
    refuse(path, `Input tag '${String(kind)}' found using 'type' does not match any of the expected tags: ${expected}`)
  }
}

export function array<T>(item: Schema<T>, { most = Infinity }: { most?: number } = {}): Schema<T[]> {
  return (value, path, context) => {
    if (!Array.isArray(value)) refuse(path, 'Input should be a valid list')
    if (value.length > most)
      refuse(path, `List should have at most ${most} items after validation, not ${value.length}`)
    for (let index = 0; index < value.length; index++) item(value[index], `${path}.${index}`, context)
    return value as T[]
  }
}

export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return (value, path, context) => (value === null ? null : schema(value, path, context))
}

/** A string, or a value that satisfies the schema. */
export function stringOr<T>(schema: Schema<T>): Schema<string | T> {
  return (value, path, context) => (typeof value === 'string' ? value : schema(value, path, context))
}

export function literal<const T extends string | boolean>(...values: T[]): Schema<T> {
  const quoted = values.map((value) => `'${String(value)}'`)
  const expected = quoted.length > 1 ? `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)!}` : quoted[0]!
  return (value, path) => {
    if (!values.includes(value as T)) refuse(path, `Input should be ${expected}`)
    return value as T
  }
}

export interface StringRules {
  least?: number
  most?: number
  pattern?: RegExp
}

export function text({ least = 0, most = Infinity, pattern }: StringRules = {}): Schema<string> {
  return (value, path) => {
    if (typeof value !== 'string') refuse(path, 'Input should be a valid string')
    if (value.length < least) refuse(path, `String should have at least ${least} character${least > 1 ? 's' : ''}`)
    if (value.length > most) refuse(path, `String should have at most ${most} characters`)
    if (pattern && !pattern.test(value)) refuse(path, `String should match pattern '${pattern.source}'`)
    return value
  }
}

export const string: Schema<string> = text()

export const boolean: Schema<boolean> = (value, path) => {
  if (typeof value !== 'boolean') refuse(path, 'Input should be a valid boolean')
  return value
}

export function integer({ least = -Infinity }: { least?: number } = {}): Schema<number> {
  return (value, path) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) refuse(path, 'Input should be a valid integer')
    if (value < least) refuse(path, `Input should be greater than or equal to ${least}`)
    return value
  }
}

export function range(least: number, most: number): Schema<number> {
  return (value, path) => {
    if (typeof value !== 'number') refuse(path, 'Input should be a valid number')
    if (value < least || value > most) refuse(path, `range: ${least}..${most}`)
    return value
  }
}

/** Any JSON object. Its fields are not checked. */
export function dictionary(value: unknown, path: string, _context?: Context): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(path, 'Input should be a valid dictionary')
  return value as Record<string, unknown>
}

const maxDepth = 200

/** Any JSON object, nested at most 200 deep, so that code that walks it does not run out of stack. */
export const json: Schema<{ [key: string]: unknown }> = (value, path, context) => {
  const given = dictionary(value, path, context)
  if (!isShallow(given, maxDepth)) refuse(path, `Input should be nested at most ${maxDepth} levels deep`)
  return given
}

function isShallow(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (left === 0) return false
  for (const inner of Object.values(value)) if (!isShallow(inner, left - 1)) return false
  return true
}

/** A value that the API returned and takes back unchanged. */
export function opaque<T>(): Schema<T> {
  return (value, path, context) => json(value, path, context) as T
}

function join(path: string, key: string): string {
  return path ? `${path}.${key}` : key
}
