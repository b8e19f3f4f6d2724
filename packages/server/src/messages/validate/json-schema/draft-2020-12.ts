/** Whether a value can be the value of a keyword. */
type Check = (value: unknown, budget: Budget) => boolean

interface Budget {
  /** The subschemas that may still be checked. */
  schemas: number
}

/** A schema has too many subschemas to check. */
export class TooManySchemas extends Error {}

// Takes about 20 ms. A larger schema is beyond what the API compiles.
const maxSchemas = 50_000

/** Whether a value is a JSON Schema of draft 2020-12. Keywords that the draft does not define are annotations. */
export function isDraft202012(value: unknown): boolean {
  return isSchema(value, { schemas: maxSchemas })
}

/** Recursive: schemas are nested at most 200 deep. */
function isSchema(value: unknown, budget: Budget): boolean {
  if (typeof value === 'boolean') return true
  if (!isObject(value)) return false
  if (budget.schemas-- <= 0) throw new TooManySchemas()
  for (const keyword in value) {
    const check = keywords.get(keyword)
    if (check && !check(value[keyword], budget)) return false
  }
  return true
}

const isSchemas: Check = (value, budget) =>
  isObject(value) && Object.values(value).every((schema) => isSchema(schema, budget))
const isSchemaList: Check = (value, budget) =>
  Array.isArray(value) && value.length > 0 && value.every((schema) => isSchema(schema, budget))
const isString: Check = (value) => typeof value === 'string'
const isNumber: Check = (value) => typeof value === 'number'
const isBoolean: Check = (value) => typeof value === 'boolean'
const isCount: Check = (value) => Number.isInteger(value) && (value as number) >= 0
const isNames: Check = (value) =>
  Array.isArray(value) && value.every((name) => typeof name === 'string') && new Set(value).size === value.length
const isAnchor: Check = (value) => typeof value === 'string' && /^[A-Za-z_][-A-Za-z0-9._]*$/.test(value)
const types = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string']
const isType: Check = (value, budget) =>
  typeof value === 'string'
    ? types.includes(value)
    : isNames(value, budget) &&
      (value as string[]).length > 0 &&
      (value as string[]).every((type) => types.includes(type))

/** https://json-schema.org/draft/2020-12, with the two keywords that it keeps from earlier drafts. */
const keywords = new Map<string, Check>([
  // Core
  ['$id', (value) => typeof value === 'string' && !/#./.test(value)],
  ['$schema', isString],
  ['$ref', isString],
  ['$anchor', isAnchor],
  ['$dynamicRef', isString],
  ['$dynamicAnchor', isAnchor],
  ['$vocabulary', (value) => isObject(value) && Object.values(value).every((isUsed) => typeof isUsed === 'boolean')],
  ['$comment', isString],
  ['$defs', isSchemas],
  ['definitions', isSchemas],
  ['dependencies', isObject],
  // Applicators
  ['prefixItems', isSchemaList],
  ['items', isSchema],
  ['contains', isSchema],
  ['properties', isSchemas],
  ['patternProperties', isSchemas],
  ['additionalProperties', isSchema],
  ['propertyNames', isSchema],
  ['dependentSchemas', isSchemas],
  ['if', isSchema],
  ['then', isSchema],
  ['else', isSchema],
  ['allOf', isSchemaList],
  ['anyOf', isSchemaList],
  ['oneOf', isSchemaList],
  ['not', isSchema],
  ['unevaluatedItems', isSchema],
  ['unevaluatedProperties', isSchema],
  // Validation
  ['type', isType],
  ['enum', Array.isArray],
  ['multipleOf', (value) => typeof value === 'number' && value > 0],
  ['maximum', isNumber],
  ['exclusiveMaximum', isNumber],
  ['minimum', isNumber],
  ['exclusiveMinimum', isNumber],
  ['maxLength', isCount],
  ['minLength', isCount],
  ['pattern', isString],
  ['maxItems', isCount],
  ['minItems', isCount],
  ['uniqueItems', isBoolean],
  ['maxContains', isCount],
  ['minContains', isCount],
  ['maxProperties', isCount],
  ['minProperties', isCount],
  ['required', isNames],
  [
    'dependentRequired',
    (value, budget) => isObject(value) && Object.values(value).every((names) => isNames(names, budget)),
  ],
  // Annotations
  ['title', isString],
  ['description', isString],
  ['deprecated', isBoolean],
  ['readOnly', isBoolean],
  ['writeOnly', isBoolean],
  ['examples', Array.isArray],
  ['format', isString],
  ['contentEncoding', isString],
  ['contentMediaType', isString],
  ['contentSchema', isSchema],
])

/** Whether a value of JSON is an object, and not a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
