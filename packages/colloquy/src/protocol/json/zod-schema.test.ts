import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as zod325 from 'zod325/v4'
import * as zod40 from 'zod40'
import * as zod41 from 'zod41'
import { checkJson } from './json-schema.ts'
import { standardSchemaOutputFormat, toJsonSchema } from './schema.ts'

type Zod = typeof zod41
const versions: Record<string, Zod> = { '3.25': zod325 as unknown as Zod, '4.0': zod40 as unknown as Zod, '4.1': zod41 }

/** Schemas whose JSON Schema is the one that zod's own function makes. */
function same(z: Zod): Record<string, unknown> {
  // An enum of TypeScript with numbers.
  const numbered = { One: 1, Two: 2, 1: 'One', 2: 'Two' } as const
  return {
    string: z.string().min(2).max(5).describe('d'),
    email: z.email(),
    url: z.url(),
    uuid: z.uuid(),
    datetime: z.iso.datetime(),
    date: z.iso.date(),
    ipv4: z.ipv4(),
    base64: z.base64(),
    regex: z.string().regex(/^a+$/),
    patterns: z.string().startsWith('a').endsWith('b').includes('c'),
    'template literal': z.templateLiteral(['a', z.number()]),
    integer: z.number().int().min(1).lt(9),
    'stricter bounds': z.number().min(1).gt(1).max(9).lt(12),
    positive: z.number().positive().multipleOf(5),
    int32: z.int32(),
    boolean: z.boolean(),
    null: z.null(),
    any: z.any(),
    unknown: z.unknown(),
    never: z.never(),
    literal: z.literal('a'),
    literals: z.literal(['p', 3, null]),
    enum: z.enum(['x', 'y']),
    'numbered enum': z.enum(numbered),
    array: z.array(z.string()).min(1).max(3),
    record: z.record(z.string(), z.number()),
    object: z.object({ a: z.string(), b: z.number().optional(), c: z.string().nullish(), d: z.string().default('q') }),
    strictObject: z.strictObject({ a: z.string() }),
    looseObject: z.looseObject({}),
    catchall: z.object({}).catchall(z.number()),
    union: z.union([z.string(), z.boolean()]),
    'discriminated union': z.discriminatedUnion('k', [
      z.object({ k: z.literal('a') }),
      z.object({ k: z.literal('b'), v: z.number() }),
    ]),
    intersection: z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() })),
    nullable: z.number().nullable(),
    readonly: z.array(z.string()).readonly(),
    transform: z.string().transform((text) => text.length),
    preprocess: z.preprocess((value) => value, z.string()),
    pipe: z.string().pipe(z.string().min(3)),
    coerce: z.coerce.number(),
    brand: z.string().brand('b'),
    lazy: z.lazy(() => z.string()),
    meta: z.string().meta({ title: 'T', examples: ['e'] }),
    'described wrapper': z.string().describe('inner').optional().describe('outer'),
  }
}

for (const [version, z] of Object.entries(versions)) {
  test(`toJsonSchema() makes the schema that zod ${version} makes`, () => {
    for (const [name, schema] of Object.entries(same(z))) {
      const { $schema: _, ...expected } = z.toJSONSchema(schema as zod41.ZodType, { io: 'input' })
      assert.deepEqual(toJsonSchema(schema as zod41.ZodType), expected, name)
    }
  })

  test(`toJsonSchema() describes the length of a tuple of zod ${version}`, () => {
    assert.deepEqual(toJsonSchema(z.tuple([z.string(), z.number().optional()])), {
      type: 'array',
      prefixItems: [{ type: 'string' }, { type: 'number' }],
      items: false,
      minItems: 1,
      maxItems: 2,
    })
    assert.deepEqual(toJsonSchema(z.tuple([z.string()], z.number())), {
      type: 'array',
      prefixItems: [{ type: 'string' }],
      items: { type: 'number' },
      minItems: 1,
    })
  })

  test(`toJsonSchema() makes a definition of a schema of zod ${version} that refers to itself`, () => {
    interface Tree {
      name: string
      children?: Tree[] | undefined
    }
    const tree: zod41.ZodType<Tree> = z.lazy(() => z.object({ name: z.string(), children: z.array(tree).optional() }))
    const schema = toJsonSchema(z.object({ tree }))
    assert.deepEqual(checkJson(schema, { tree: { name: 'a', children: [{ name: 'b' }] } }), [])
    assert.equal(checkJson(schema, { tree: { name: 'a', children: [{ name: 1 }] } }).length, 1)
  })

  test(`toJsonSchema() refuses a type of zod ${version} that JSON does not have`, () => {
    for (const schema of [z.date(), z.bigint(), z.map(z.string(), z.string()), z.undefined(), z.literal(1n)])
      assert.throws(
        () => toJsonSchema(schema),
        /^AnthropicError: Cannot make a JSON Schema of the zod schema: JSON has no /,
      )
  })

  test(`standardSchemaOutputFormat() accepts a schema of zod ${version}`, () => {
    const format = standardSchemaOutputFormat(z.object({ city: z.string(), days: z.number().int() }))
    assert.deepEqual(format.parse('{"city":"Nara","days":2}'), { city: 'Nara', days: 2 })
    assert.throws(() => format.parse('{"city":1}'), /- city: .*\n {2}- days: /)
  })
}
