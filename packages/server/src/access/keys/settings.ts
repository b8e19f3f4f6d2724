import { checkJson, describeIssues, findModel, fromUsd, type JsonSchema } from 'colloquy/protocol'

/** The limits of a key for each class of models. Absent: no limit. */
export interface KeyLimits {
  requests_per_minute?: number
  /** Tokens of prompts, except those read from the cache. */
  input_tokens_per_minute?: number
  output_tokens_per_minute?: number
  /** The most requests in flight. */
  concurrent_requests?: number
}

/** The most that a key may spend. */
export interface KeyBudget {
  /** Dollars, such as `"5"` or `"0.5"`. */
  usd: string
  /** Days and months are in UTC. `total` is the whole life of the key. */
  per: 'day' | 'month' | 'total'
  /** Whether the key has one such budget, or each user of it (`metadata.user_id`). Default `key`. */
  each?: 'key' | 'user'
}

/** The models, limits and budgets of a key. */
export interface KeySettings {
  /** The models that it may ask for: ids, or beginnings of ids that end in `*`. Default: all. */
  models?: readonly string[]
  limits?: KeyLimits
  budgets?: readonly KeyBudget[]
}

/** A star elsewhere than at the end would never match. */
const modelName: JsonSchema = { type: 'string', minLength: 1, maxLength: 200, pattern: String.raw`^[^*]*\*?$` }
// A larger limit is none, and would be written as 1e+30 in the headers.
const count: JsonSchema = { type: 'integer', minimum: 1, maximum: 1_000_000_000_000 }
const dollars: JsonSchema = { type: 'string', pattern: String.raw`^\d{1,7}(\.\d{1,6})?$` }
const limits = {
  requests_per_minute: count,
  input_tokens_per_minute: count,
  output_tokens_per_minute: count,
  concurrent_requests: count,
} satisfies Record<keyof KeyLimits, JsonSchema>
const budget = {
  usd: dollars,
  per: { enum: ['day', 'month', 'total'] },
  each: { enum: ['key', 'user'] },
} satisfies Record<keyof KeyBudget, JsonSchema>

/** The schemas of the settings, by name. */
export const settingsSchemas: Readonly<Record<keyof KeySettings, JsonSchema>> = {
  models: { type: 'array', items: modelName, maxItems: 100 },
  limits: { type: 'object', properties: limits, additionalProperties: false },
  budgets: {
    type: 'array',
    items: { type: 'object', properties: budget, required: ['usd', 'per'], additionalProperties: false },
    maxItems: 10,
  },
}

/** Throws a `RangeError` that names each mistake in the settings of a key. */
export function checkSettings(settings: KeySettings): void {
  const schema = { type: 'object', properties: settingsSchemas, additionalProperties: false }
  const problem = describeIssues(checkJson(schema, settings)) || repeatedBudget(settings)
  if (problem) throw new RangeError(`Cannot use the settings of the key: ${problem}`)
}

/** Two budgets of one kind would be one account, which would be charged twice. */
function repeatedBudget({ budgets = [] }: KeySettings): string | undefined {
  const kinds = budgets.map(kindOf)
  const twice = kinds.find((kind, index) => kinds.indexOf(kind) !== index)
  return twice && `it has two budgets ${twice}`
}

function kindOf({ per, each }: KeyBudget): string {
  return `${per === 'total' ? 'in total' : `a ${per}`}${each === 'user' ? ' for each user' : ''}`
}

/**
 * Whether the key may ask for the model. Names of the same model, such as `claude-haiku-4-5` and `claude-haiku-4-5-20251001`, are
 * one to it.
 *
 * @example
 * ```ts
 * import { allowsModel } from '@colloquy/server/access'
 *
 * const settings = { models: ['claude-haiku-*'] }
 * console.log(allowsModel(settings, 'claude-haiku-4-5'), allowsModel(settings, 'claude-opus-4-8')) // true false
 * ```
 */
export function allowsModel({ models }: KeySettings, model: string): boolean {
  if (models === undefined) return true
  const entry = findModel(model)
  const names = entry ? [model, entry.id, ...entry.aliases] : [model]
  return models.some((each) => names.some((name) => isMatch(each, name)))
}

function isMatch(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

/** The amount of a budget in picodollars. */
export function budgetPicoUsd({ usd }: KeyBudget): bigint {
  return fromUsd(usd)
}
