import type { JsonSchema } from 'colloquy/protocol'

/** A field of an object, as `schema.ts` makes them. */
type Field = object | { optional: object; isKnown?: (context: never) => boolean; about?: JsonSchema }

const shapes = new WeakMap<object, () => JsonSchema>()
const components = new Map<string, () => JsonSchema>()

/** Tells the JSON Schema of a check, for the description of the server: the check itself does not read it. */
export function shaped<Check extends object>(check: Check, shape: () => JsonSchema): Check {
  shapes.set(check, shape)
  return check
}

/** Gives a check a name, by which the description refers to it. */
export function named<Check extends object>(name: string, check: Check): Check {
  const shape = shapes.get(check)!
  components.set(name, shape)
  return shaped(check, () => ({ $ref: `#/components/schemas/${name}` }))
}

/** The JSON Schemas of all checks that have a name. */
export function namedShapes(): Record<string, JsonSchema> {
  return Object.fromEntries([...components].map(([name, shape]) => [name, shape()]))
}

/**
 * The JSON Schema of a check. It accepts whatever the check accepts, and also values that only rules between several fields
 * refuse. Throws a `TypeError` for a check without one.
 */
export function shapeOf(check: object): JsonSchema {
  const shape = shapes.get(check)
  if (!shape) throw new TypeError('Cannot describe a check: it has no JSON Schema')
  return shape()
}

const newest = { lenient: false, version: '2026-10-21', betas: new Set<string>() }

/** The shape of an object with these fields and no others. */
export function fieldsShape(fields: ReadonlyMap<string, Field>): JsonSchema {
  const properties: Record<string, JsonSchema> = {}
  const required: string[] = []
  for (const [name, field] of fields) {
    if (!('optional' in field)) {
      required.push(name)
      properties[name] = shapeOf(field)
      continue
    }
    const { optional, isKnown, about } = field
    // Without `about` the field is known to some of the objects that are made alike, whatever the request.
    if (about || !isKnown || isKnown(newest as never)) properties[name] = { ...shapeOf(optional), ...about }
  }
  return { type: 'object', properties, ...(required.length > 0 && { required }), additionalProperties: false }
}

/** The shape of objects that are told apart by their field `type`. */
export function taggedShape(byTag: ReadonlyMap<string, object>): JsonSchema {
  return { oneOf: [...byTag].map(([tag, check]) => withTag(shapeOf(check), tag)) }
}

function withTag(shape: JsonSchema, tag: string): JsonSchema {
  if ('$ref' in shape || (shape['required'] as string[] | undefined)?.includes('type')) return shape
  const properties = { ...(shape['properties'] as object | undefined), type: { const: tag } }
  return { ...shape, properties, required: [...((shape['required'] as string[] | undefined) ?? []), 'type'] }
}

/** The shape of values that have one of two shapes. */
export function eitherOf(one: JsonSchema, other: JsonSchema): JsonSchema {
  return { anyOf: [one, other] }
}
