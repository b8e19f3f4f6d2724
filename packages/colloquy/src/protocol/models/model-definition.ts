import { type JsonSchema, checkJson, describeIssues } from '../json/json-schema.ts'
import type { ModelEntry, Price } from './model-entry.ts'
import { findModel } from './models.ts'
import { perToken } from './money.ts'

/** A model as a user defines it, in a program or a JSON file. */
export interface ModelDefinition extends Partial<Omit<ModelEntry, 'id' | 'prices'>> {
  id: string
  /** The id of a model of the catalogue, or of an earlier definition, that provides the fields missing here. */
  like?: string
  /** Default: the price of the model in `like`, or else unknown, which is not 0. */
  price?: PriceDefinition
}

/** USD for a million tokens. A string is read exactly, a number by its shortest decimal. */
export interface PriceDefinition {
  input: string | number
  output: string | number
  /** Default: 1.25 × the input. */
  cacheWrite5m?: string | number
  /** Default: 2 × the input. */
  cacheWrite1h?: string | number
  /** Default: 0.1 × the input. */
  cacheRead?: string | number
}

/**
 * Makes catalogue entries from definitions, for options named `models`. A model without `like` needs `contextTokens` and
 * `maxOutputTokens`, has no price unless it is given one, and is assumed to have all capabilities.
 *
 * The definitions may come straight from a JSON file: a mistake is a `RangeError` that names its path.
 *
 * @example
 * ```ts
 * import { defineModels, findModel } from 'colloquy/protocol'
 *
 * const more = defineModels([
 *   { id: 'house-model', contextTokens: 32_000, maxOutputTokens: 4_000, price: { input: '0.5', output: '1.5' } },
 * ])
 * console.log(findModel('house-model', more)?.contextTokens) // 32000
 * ```
 */
export function defineModels(definitions: readonly ModelDefinition[]): ModelEntry[] {
  const issues = checkJson(modelDefinitionsSchema, definitions)
  if (issues.length > 0) throw new RangeError(`Cannot define models:\n${describeIssues(issues)}`)
  const entries: ModelEntry[] = []
  for (const definition of definitions) entries.push(entryOf(definition, entries))
  return entries
}

function entryOf({ like, price, ...own }: ModelDefinition, before: readonly ModelEntry[]): ModelEntry {
  const model = like === undefined ? undefined : findModel(like, before)
  if (like !== undefined && !model)
    throw new RangeError(`Cannot define ${own.id} as it is like a model that is not known: ${like}`)
  const { contextTokens, maxOutputTokens } = { ...model, ...own }
  if (contextTokens === undefined || maxOutputTokens === undefined)
    throw new RangeError(
      `Cannot define ${own.id} without contextTokens and maxOutputTokens, or a model that it is like`,
    )
  return {
    ...(model ?? permissive),
    aliases: [],
    displayName: own.id,
    ...own,
    contextTokens,
    maxOutputTokens,
    prices: price ? [priceOf(price)] : (model?.prices ?? []),
  }
}

/** Capabilities that are not known are not denied. */
const permissive = {
  line: 'other',
  // As the API says that the day is not known.
  releasedOn: '1970-01-01',
  lifecycle: 'active',
  minCacheTokens: 1024,
  imagePixels: 1568,
  thinking: { types: ['adaptive', 'enabled', 'disabled'], default: 'disabled', display: 'summarized' },
  effort: { levels: ['low', 'medium', 'high', 'xhigh', 'max'], default: 'high' },
  prefill: true,
  sampling: true,
  forcedToolChoice: true,
  systemInMessages: true,
  compaction: true,
} as const

function priceOf({ input, output, cacheWrite5m, cacheWrite1h, cacheRead }: PriceDefinition): Price {
  const base = perToken(String(input))
  const rate = (usd: string | number | undefined, otherwise: bigint): bigint =>
    usd === undefined ? otherwise : perToken(String(usd))
  const band = {
    abovePromptTokens: 0,
    input: base,
    cacheWrite5m: rate(cacheWrite5m, (base * 5n) / 4n),
    cacheWrite1h: rate(cacheWrite1h, base * 2n),
    cacheRead: rate(cacheRead, base / 10n),
    output: perToken(String(output)),
  }
  return { from: '1970-01-01', source: 'definition', bands: [band] }
}

const text = { type: 'string', minLength: 1 }
const day = { type: 'string', pattern: String.raw`^\d{4}-\d\d-\d\d$` }
const count = { type: 'integer', minimum: 0 }
const flag = { type: 'boolean' }
const decimal = {
  anyOf: [
    { type: 'string', pattern: String.raw`^\d+(\.\d{1,6})?$` },
    { type: 'number', minimum: 0 },
  ],
}
const effort = { enum: ['low', 'medium', 'high', 'xhigh', 'max'] }
const thinking = { enum: ['adaptive', 'between_tools', 'disabled', 'enabled'] }

function object(properties: Record<string, JsonSchema>, required: readonly string[]): JsonSchema {
  return { type: 'object', properties, required, additionalProperties: false }
}

/** Keyed by the interface, so that no field can be missing. */
const fields: Record<keyof ModelDefinition, JsonSchema> = {
  id: text,
  like: text,
  aliases: { type: 'array', items: text },
  displayName: text,
  line: text,
  releasedOn: day,
  lifecycle: { enum: ['active', 'deprecated'] },
  deprecatedOn: day,
  retiresOn: day,
  staysUntil: day,
  contextTokens: count,
  maxOutputTokens: count,
  minCacheTokens: count,
  imagePixels: count,
  thinking: object(
    {
      types: { type: 'array', items: thinking },
      default: thinking,
      display: { enum: ['omitted', 'summarized'] },
      maxEffort: { type: 'object', propertyNames: thinking, additionalProperties: effort },
    },
    ['types', 'default', 'display'],
  ),
  effort: object({ levels: { type: 'array', items: effort }, default: effort }, ['levels', 'default']),
  prefill: flag,
  sampling: flag,
  forcedToolChoice: flag,
  systemInMessages: flag,
  compaction: flag,
  price: object({ input: decimal, output: decimal, cacheWrite5m: decimal, cacheWrite1h: decimal, cacheRead: decimal }, [
    'input',
    'output',
  ]),
}

/** The JSON Schema of a list of `ModelDefinition`, for files that contain one. */
export const modelDefinitionsSchema: JsonSchema = { type: 'array', items: object(fields, ['id']) }
