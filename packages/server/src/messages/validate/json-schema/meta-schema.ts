import type { JsonSchema } from 'colloquy/protocol'

const schema = { $ref: '#/$defs/schema' }
const schemas = { type: 'object', additionalProperties: schema }
const schemaList = { type: 'array', minItems: 1, items: schema }
const text = { type: 'string' }
const number = { type: 'number' }
const boolean = { type: 'boolean' }
const count = { type: 'integer', minimum: 0 }
const names = { type: 'array', items: text, uniqueItems: true }
const anchor = { type: 'string', pattern: '^[A-Za-z_][-A-Za-z0-9._]*$' }
const simpleType = { enum: ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'] }

/** The keywords of JSON Schema, draft 2020-12, with the values that they take. Other keywords are annotations. */
const keywords = {
  // Core
  $id: { type: 'string', pattern: '^[^#]*#?$' },
  $schema: text,
  $ref: text,
  $anchor: anchor,
  $dynamicRef: text,
  $dynamicAnchor: anchor,
  $vocabulary: { type: 'object', additionalProperties: boolean },
  $comment: text,
  $defs: schemas,
  definitions: schemas,
  // Applicators
  prefixItems: schemaList,
  items: schema,
  contains: schema,
  properties: schemas,
  patternProperties: schemas,
  additionalProperties: schema,
  propertyNames: schema,
  dependentSchemas: schemas,
  if: schema,
  then: schema,
  else: schema,
  allOf: schemaList,
  anyOf: schemaList,
  oneOf: schemaList,
  not: schema,
  unevaluatedItems: schema,
  unevaluatedProperties: schema,
  // Validation
  type: { anyOf: [simpleType, { type: 'array', items: simpleType, minItems: 1, uniqueItems: true }] },
  enum: { type: 'array' },
  multipleOf: { type: 'number', exclusiveMinimum: 0 },
  maximum: number,
  exclusiveMaximum: number,
  minimum: number,
  exclusiveMinimum: number,
  maxLength: count,
  minLength: count,
  pattern: text,
  maxItems: count,
  minItems: count,
  uniqueItems: boolean,
  maxContains: count,
  minContains: count,
  maxProperties: count,
  minProperties: count,
  required: names,
  dependentRequired: { type: 'object', additionalProperties: names },
  // Annotations
  title: text,
  description: text,
  deprecated: boolean,
  readOnly: boolean,
  writeOnly: boolean,
  examples: { type: 'array' },
  format: text,
  contentEncoding: text,
  contentMediaType: text,
  contentSchema: schema,
}

/** The schema of JSON Schemas, written as one schema, because `checkJson()` has no dynamic references. */
export const metaSchema: JsonSchema = {
  $ref: '#/$defs/schema',
  $defs: { schema: { type: ['object', 'boolean'], properties: keywords } },
}
