import { checkArgument } from './option-names.ts'
import { AnthropicError } from '../types/error.ts'
import { type JsonSchema, checkJson, describeMismatch } from './json-schema.ts'
import { type OutputFormat, outputJson } from './parsed-message.ts'
import { isZodSchema, zodJsonSchema } from './zod-schema.ts'

/** The common interface of validation libraries (standardschema.dev), such as zod, valibot and arktype. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    /** Checks a value. */
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
    /** Missing from some libraries and versions. */
    readonly jsonSchema?: {
      /** The JSON Schema of the input. */
      readonly input: (options: { readonly target: 'draft-2020-12' }) => { [keyword: string]: unknown }
    }
  }
}

/** The result of a validation: the value, or the problems. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

/** A problem that a schema found. */
export interface StandardIssue {
  readonly message: string
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined
}

/** The type of the values that a Standard Schema returns. */
export type OutputOf<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output']

/** The type that a literal JSON Schema describes. Parts that cannot be derived are `unknown`. */
export type FromSchema<Schema> = Schema extends { const: infer Value }
  ? Value
  : Schema extends { enum: ReadonlyArray<infer Value> }
    ? Value
    : Schema extends { anyOf: ReadonlyArray<infer Choice> } | { oneOf: ReadonlyArray<infer Choice> }
      ? FromSchema<Choice>
      : Schema extends { type: ReadonlyArray<infer Type> }
        ? FromType<Type, Schema>
        : Schema extends { type: infer Type }
          ? FromType<Type, Schema>
          : unknown

type FromType<Type, Schema> = Type extends 'string'
  ? string
  : Type extends 'number' | 'integer'
    ? number
    : Type extends 'boolean'
      ? boolean
      : Type extends 'null'
        ? null
        : Type extends 'array'
          ? Schema extends { items: infer Items }
            ? Array<FromSchema<Items>>
            : unknown[]
          : Type extends 'object'
            ? FromObject<Schema>
            : unknown

type FromObject<Schema> = Schema extends { properties: infer Properties }
  ? {
      -readonly [Key in keyof Properties as Key extends RequiredOf<Schema> ? Key : never]: FromSchema<Properties[Key]>
    } & {
      -readonly [Key in keyof Properties as Key extends RequiredOf<Schema> ? never : Key]?: FromSchema<Properties[Key]>
    }
  : { [key: string]: unknown }

type RequiredOf<Schema> = Schema extends { required: ReadonlyArray<infer Key> } ? Key : never

/** The JSON Schema of a schema, or a function that makes it, such as zod's `z.toJSONSchema`. */
export type ToJsonSchema = JsonSchema | ((schema: never) => unknown)

/** The JSON Schema of a Standard Schema: the given one, or the one that its library makes. */
export function toJsonSchema(schema: StandardSchema, given?: ToJsonSchema): JsonSchema {
  if (typeof given === 'function') return given(schema as never) as JsonSchema
  if (given) return given
  const { jsonSchema, vendor } = schema['~standard']
  if (jsonSchema) return jsonSchema.input({ target: 'draft-2020-12' })
  if (isZodSchema(schema)) return zodJsonSchema(schema)
  throw new AnthropicError(
    `Could not derive a JSON Schema from this ${vendor} schema, as ${vendor} has no \`~standard.jsonSchema\`. ` +
      'Pass the `jsonSchema` option: the JSON Schema, or the function that makes it (for zod, `z.toJSONSchema`).',
  )
}

/** Whether a value is a schema of a Standard Schema library. */
export function isStandardSchema(schema: unknown): schema is StandardSchema {
  // May be a function: arktype's schemas are callable.
  const isHolder = (typeof schema === 'object' && schema !== null) || typeof schema === 'function'
  return isHolder && typeof (schema as Partial<StandardSchema>)['~standard']?.validate === 'function'
}

/** Says why a value does not satisfy a schema, with lines such as `days.0: expected number, received string`. */
export function describeStandardIssues(issues: readonly StandardIssue[]): string {
  return describeMismatch(issues.map(({ message, path = [] }) => ({ message, path: path.map(keyOf) })))
}

function keyOf(part: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof part === 'object' ? part.key : part)
}

// Output formats

/**
 * An output format from a JSON Schema. Sends the schema as `transformJsonSchema` rewrites it, or unchanged with
 * `transform: false`. Checks the reply against the given schema.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { engineFetch, script } from 'colloquy/engines'
 * import { jsonSchemaOutputFormat } from 'colloquy/protocol'
 *
 * const format = jsonSchemaOutputFormat({ type: 'object', properties: { city: { type: 'string' } }, required: ['city'] })
 * const client = new Anthropic({ fetch: engineFetch(script(['{"city":"Oslo"}'])), apiKey: 'any' }) // or new Anthropic()
 * const messages = [{ role: 'user' as const, content: 'Name a city.' }]
 * const params = { model: 'claude-sonnet-4-6', max_tokens: 100, messages, output_config: { format } }
 * console.log((await client.messages.parse(params)).parsed_output?.city) // Oslo
 * ```
 */
export function jsonSchemaOutputFormat<const Schema extends JsonSchema & { readonly type: 'object' }>(
  schema: Schema,
  options?: { transform?: boolean } | null,
): OutputFormat<FromSchema<Schema>> {
  checkArgument(schema, 'an object', 'a JSON Schema')
  if (schema.type !== 'object')
    throw new AnthropicError(`JSON schema must be an object, but got ${String(schema.type)}`)
  return {
    type: 'json_schema',
    schema: (options?.transform ?? true) ? transformJsonSchema(schema) : { ...schema },
    parse: (text) => {
      const value = outputJson(text)
      const issues = checkJson(schema, value)
      if (issues.length) throw mismatch(describeMismatch(issues))
      return value as FromSchema<Schema>
    },
  }
}

/**
 * An output format from the schema of a validation library.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { engineFetch, script } from 'colloquy/engines'
 * import { standardSchemaOutputFormat } from 'colloquy/protocol'
 * import { z } from 'zod'
 *
 * const format = standardSchemaOutputFormat(z.object({ city: z.string() }))
 * const client = new Anthropic({ fetch: engineFetch(script(['{"city":"Oslo"}'])), apiKey: 'any' }) // or new Anthropic()
 * const messages = [{ role: 'user' as const, content: 'Name a city.' }]
 * const params = { model: 'claude-sonnet-4-6', max_tokens: 100, messages, output_config: { format } }
 * console.log((await client.messages.parse(params)).parsed_output?.city) // Oslo
 * ```
 */
export function standardSchemaOutputFormat<Schema extends StandardSchema>(
  schema: Schema,
  options?: { jsonSchema?: ToJsonSchema } | null,
): OutputFormat<OutputOf<Schema>> {
  if (!isStandardSchema(schema)) throw new AnthropicError('Cannot make an output format: found no Standard Schema')
  return {
    type: 'json_schema',
    schema: transformJsonSchema(toJsonSchema(schema, options?.jsonSchema)),
    parse: (text) => {
      const result = schema['~standard'].validate(outputJson(text))
      if (result instanceof Promise) {
        result.catch(() => {})
        throw new AnthropicError(
          `Async validation is not supported for structured output: found a ${schema['~standard'].vendor} schema that returns promises`,
        )
      }
      if (result.issues) throw mismatch(describeStandardIssues(result.issues))
      return result.value
    },
  }
}

function mismatch(issues: string): AnthropicError {
  return new AnthropicError(`Cannot parse the structured output: ${issues}`)
}

// The subset of JSON Schema that structured output supports

const formats = 'date-time time date duration email hostname uri ipv4 ipv6 uuid'.split(' ')

/**
 * Rewrites a JSON Schema into the subset that structured output supports. Does not modify its argument.
 *
 * Objects get `additionalProperties: false`, and `oneOf` becomes `anyOf`. A `minItems` of 0 or 1 and the supported string
 * formats stay. Other keywords move into the description, where the model still reads them. Throws if a part has no type and
 * no keyword that replaces it.
 *
 * @example
 * ```ts
 * import { transformJsonSchema } from 'colloquy/protocol'
 *
 * const schema = transformJsonSchema({ type: 'object', properties: { age: { type: 'integer', minimum: 18 } } })
 * console.log(schema['additionalProperties']) // false
 * console.log(JSON.stringify(schema['properties'])) // {"age":{"type":"integer","description":"{minimum: 18}"}}
 * ```
 */
export function transformJsonSchema(schema: JsonSchema): { [keyword: string]: unknown } {
  checkArgument(schema, 'an object', 'a JSON Schema')
  return transform(schema, [])
}

/** A schema with a longer path contains itself, or is more than JSON can write. */
const longestPath = 1_000

function transform(schema: unknown, path: string[]): { [keyword: string]: unknown } {
  if (path.length > longestPath)
    throw new AnthropicError(`Cannot use a JSON Schema that is nested too deep: at ${path.slice(0, 6).join('.')}…`)
  const rest: { [keyword: string]: unknown } = { ...(schema as JsonSchema) }
  const take = (keyword: string): unknown => {
    const value = rest[keyword]
    delete rest[keyword]
    return value
  }
  const each = (keyword: string, list: unknown) =>
    (list as unknown[]).map((item, index) => transform(item, [...path, keyword, String(index)]))
  const map = (keyword: string, schemas: unknown) =>
    Object.fromEntries(
      Object.entries(schemas as object).map(([name, item]) => [name, transform(item, [...path, keyword, name])]),
    )

  const result: { [keyword: string]: unknown } = {}
  for (const keyword of ['$defs', 'definitions'])
    if (rest[keyword] !== undefined) result[keyword] = map(keyword, take(keyword))
  // Other keywords next to a reference are dropped: the subset does not allow them.
  if (rest.$ref !== undefined) return { ...result, $ref: rest.$ref }

  if (Array.isArray(rest.enum) && rest.enum.length > 0 && rest.enum.every(isPrimitive)) result.enum = take('enum')
  if (rest.const !== undefined && isPrimitive(rest.const)) result.const = take('const')
  const isLiteral = 'enum' in result || 'const' in result
  const declared = take('type')
  const type = isLiteral ? undefined : declared
  const [anyOf, oneOf, allOf] = [take('anyOf'), take('oneOf'), take('allOf')]
  delete rest.$schema
  if (Array.isArray(anyOf)) result.anyOf = each('anyOf', anyOf)
  else if (Array.isArray(oneOf)) result.anyOf = each('oneOf', oneOf)
  else if (Array.isArray(allOf)) result.allOf = each('allOf', allOf)
  else if (!isLiteral) {
    if (type === undefined) throw typeless(path)
    result.type = type
  }
  for (const keyword of ['description', 'title']) if (rest[keyword] !== undefined) result[keyword] = take(keyword)

  if (type === 'object') {
    result.properties = map('properties', take('properties') ?? {})
    delete rest.additionalProperties
    result.additionalProperties = false
    if (rest.required !== undefined) result.required = take('required')
  } else if (type === 'string') {
    const format = take('format')
    if (format !== undefined) (formats.includes(format as string) ? result : rest).format = format
  } else if (type === 'array') {
    if (rest.items !== undefined) result.items = transform(take('items'), [...path, 'items'])
    const minItems = take('minItems')
    if (minItems !== undefined) (minItems === 0 || minItems === 1 ? result : rest).minItems = minItems
  }
  const unsupported = Object.entries(rest).filter(([, value]) => value !== undefined)
  if (unsupported.length)
    result.description = describeUnsupported(result.description as string | undefined, unsupported)
  return result
}

// The official client's format, so that the same schema gives the same bytes, and the same prompt cache entry.
function describeUnsupported(description: string | undefined, unsupported: Array<[string, unknown]>): string {
  const note = `{${unsupported.map(([keyword, value]) => `${keyword}: ${JSON.stringify(value)}`).join(', ')}}`
  return description ? `${description}\n\n${note}` : note
}

function typeless(path: string[]): AnthropicError {
  const place = path.length ? path.join('.') : 'the root'
  return new AnthropicError(
    `Cannot make an output format: the schema has no type, enum, const, anyOf, oneOf, allOf or $ref at ${place}`,
  )
}

function isPrimitive(value: unknown): boolean {
  return value === null || typeof value !== 'object'
}
