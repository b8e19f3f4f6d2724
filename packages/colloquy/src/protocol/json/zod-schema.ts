import { AnthropicError } from '../types/error.ts'
import type { JsonSchema } from './json-schema.ts'

/** The parts of a zod 4 schema that describe it. They are the same from `zod/v4` of zod 3.25 on. */
export interface ZodSchema {
  readonly _zod: {
    readonly def: ZodDefinition
    /** The requirements of the schema's checks: lengths, bounds, formats, patterns. */
    readonly bag: Readonly<Record<string, unknown>>
    /** `optional` if an object may lack the value. */
    readonly optin?: 'optional' | undefined
    readonly pattern?: RegExp
  }
  meta?(): Readonly<Record<string, unknown>> | undefined
  readonly description?: string | undefined
}

interface ZodDefinition {
  readonly type: string
  readonly [field: string]: unknown
}

type Schema = Record<string, unknown>

/** Whether the value is a schema of zod 4. */
export function isZodSchema(value: object): value is ZodSchema {
  return typeof (value as Partial<ZodSchema>)['_zod']?.def?.type === 'string'
}

/**
 * The JSON Schema of what a zod schema accepts, for versions of zod that do not make it themselves (before 4.2). A schema
 * that refers to itself becomes a definition. Throws an `AnthropicError` for a type that JSON does not have.
 */
export function zodJsonSchema(schema: ZodSchema): JsonSchema {
  const writer = new SchemaWriter()
  const root = writer.write(schema)
  return writer.definitions ? { ...root, $defs: writer.definitions } : root
}

class SchemaWriter {
  definitions: Record<string, Schema> | undefined
  /** The schemas that are being written, with the name of those that a part of them refers to. */
  readonly #open = new Map<ZodSchema, string | undefined>()
  #names = 0

  write(schema: ZodSchema): Schema {
    if (this.#open.has(schema)) {
      const name = this.#open.get(schema) ?? `schema${++this.#names}`
      this.#open.set(schema, name)
      return { $ref: `#/$defs/${name}` }
    }
    this.#open.set(schema, undefined)
    const written = { ...this.#typeOf(schema), ...descriptionOf(schema) }
    const name = this.#open.get(schema)
    this.#open.delete(schema)
    if (name === undefined) return written
    this.definitions = { ...this.definitions, [name]: written }
    return { $ref: `#/$defs/${name}` }
  }

  #typeOf(schema: ZodSchema): Schema {
    const { def, bag, pattern } = internalsOf(schema)
    const inner = (field = 'innerType'): Schema => this.write(def[field] as ZodSchema)
    switch (def.type) {
      case 'string':
        return stringSchema(bag)
      case 'number':
        return numberSchema(bag)
      case 'boolean':
      case 'null':
        return { type: def.type }
      case 'any':
      case 'unknown':
      case 'transform':
        return {}
      case 'never':
        return { not: {} }
      case 'literal':
        return valuesSchema(def['values'] as unknown[])
      case 'enum':
        return enumSchema(def['entries'] as Record<string, string | number>)
      case 'object':
        return this.#object(def)
      case 'array':
        return {
          ...defined({ minItems: bag['minimum'], maxItems: bag['maximum'] }),
          type: 'array',
          items: inner('element'),
        }
      case 'tuple':
        return this.#tuple(def)
      case 'record':
        return { type: 'object', propertyNames: inner('keyType'), additionalProperties: inner('valueType') }
      case 'union':
        return { anyOf: (def['options'] as ZodSchema[]).map((option) => this.write(option)) }
      case 'intersection':
        return { allOf: [inner('left'), inner('right')] }
      case 'nullable':
        return { anyOf: [inner(), { type: 'null' }] }
      case 'optional':
      case 'nonoptional':
      case 'promise':
        return inner()
      case 'default':
      case 'prefault':
        return { default: JSON.parse(JSON.stringify(def['defaultValue'])) as unknown, ...inner() }
      case 'catch':
        return inner()
      case 'readonly':
        return { ...inner(), readOnly: true }
      case 'pipe':
        // A transformation before the check (`z.preprocess()`) accepts anything: the check describes what is meant.
        return internalsOf(def['in'] as ZodSchema).def.type === 'transform' ? inner('out') : inner('in')
      case 'lazy':
        return this.write((def['getter'] as () => ZodSchema)())
      case 'template_literal':
        return { type: 'string', pattern: pattern!.source }
      default:
        throw new AnthropicError(
          `Cannot make a JSON Schema of the zod schema: JSON has no ${def.type}. Pass \`jsonSchema\` instead.`,
        )
    }
  }

  #object(def: ZodDefinition): Schema {
    const fields = Object.entries(def['shape'] as Record<string, ZodSchema>)
    const required = fields.filter(([, field]) => internalsOf(field).optin === undefined).map(([name]) => name)
    const catchall = def['catchall'] as ZodSchema | undefined
    const others = catchall && internalsOf(catchall).def.type === 'never' ? false : catchall && this.write(catchall)
    return {
      type: 'object',
      properties: Object.fromEntries(fields.map(([name, field]) => [name, this.write(field)])),
      ...(required.length > 0 && { required }),
      ...defined({ additionalProperties: others }),
    }
  }

  #tuple(def: ZodDefinition): Schema {
    const items = def['items'] as ZodSchema[]
    const rest = def['rest'] as ZodSchema | null
    const least = items.findLastIndex((item) => internalsOf(item).optin === undefined) + 1
    return {
      type: 'array',
      prefixItems: items.map((item) => this.write(item)),
      items: rest ? this.write(rest) : false,
      minItems: least,
      ...(!rest && { maxItems: items.length }),
    }
  }
}

function internalsOf(schema: ZodSchema): ZodSchema['_zod'] {
  return schema['_zod']
}

/** The names of zod's formats in JSON Schema, where they differ. An empty name has no counterpart. */
const formatNames: Record<string, string> = {
  guid: 'uuid',
  url: 'uri',
  datetime: 'date-time',
  json_string: '',
  regex: '',
}

function stringSchema({ minimum, maximum, format, patterns, contentEncoding }: Schema): Schema {
  const sources = [...((patterns as Set<RegExp> | undefined) ?? [])].map(({ source }) => source)
  const name = formatNames[format as string] ?? format
  return {
    type: 'string',
    ...defined({ minLength: minimum, maxLength: maximum, format: name === '' ? undefined : name, contentEncoding }),
    ...(sources.length === 1 && { pattern: sources[0] }),
    ...(sources.length > 1 && { allOf: sources.map((pattern) => ({ pattern })) }),
  }
}

function numberSchema({ format, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: Schema): Schema {
  const isInteger = typeof format === 'string' && format.includes('int')
  const isBound = (value: unknown): value is number =>
    typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER
  const [least, above] = [minimum, exclusiveMinimum].map((value) => (isBound(value) ? value : -Infinity))
  const [most, below] = [maximum, exclusiveMaximum].map((value) => (isBound(value) ? value : Infinity))
  const finite = (value: number | undefined, isStricter: boolean): number | undefined =>
    isStricter && Number.isFinite(value) ? value : undefined
  return {
    type: isInteger ? 'integer' : 'number',
    ...defined({
      minimum: finite(least, least! > above!),
      exclusiveMinimum: finite(above, above! >= least!),
      maximum: finite(most, most! < below!),
      exclusiveMaximum: finite(below, below! <= most!),
      multipleOf,
    }),
  }
}

/** An enum of TypeScript also maps its numbers to their names. */
function enumSchema(entries: Record<string, string | number>): Schema {
  const numbers = Object.values(entries).filter((value) => typeof value === 'number')
  const values = Object.entries(entries).filter(([key]) => !numbers.includes(Number(key)))
  const list = values.map(([, value]) => value)
  return { ...typeOfAll(list), enum: list }
}

function valuesSchema(values: unknown[]): Schema {
  if (values.some((value) => value === undefined || typeof value === 'bigint'))
    throw new AnthropicError('Cannot make a JSON Schema of the zod schema: JSON has no undefined and no bigint')
  if (values.length === 1) return { ...typeOfAll(values), const: values[0] }
  return { ...typeOfAll(values), enum: values }
}

function typeOfAll(values: unknown[]): Schema {
  const types = new Set(values.map((value) => (value === null ? 'null' : typeof value)))
  return types.size === 1 ? { type: [...types][0] } : {}
}

/** The description and metadata that `describe()` and `meta()` set, without its id in zod's registry. */
function descriptionOf(schema: ZodSchema): Schema {
  const { id: _, ...meta } = schema.meta?.() ?? defined({ description: schema.description })
  return meta
}

function defined(fields: Schema): Schema {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
