import { isObject } from '../protocol/json/json-object.ts'
import { jsonText } from '../protocol/json/json-fault.ts'
import {
  checkOptionNames,
  checkOptionsObject,
  checkOwnOptions,
  describeValue,
  nearestName,
} from '../protocol/json/option-names.ts'
import { AnthropicError } from '../protocol/types/error.ts'
import { checkBudget } from './money/budget.ts'
import type { ConversationSettings, SettingsChanges } from './settings.ts'
import { checkCompaction } from './window/compaction.ts'
import { checkWindow } from './window/window.ts'

// The compiler checks that none is missing.
const settingNames: readonly string[] = Object.keys({
  model: true,
  max_tokens: true,
  system: true,
  stop_sequences: true,
  temperature: true,
  top_p: true,
  top_k: true,
  metadata: true,
  tools: true,
  tool_choice: true,
  thinking: true,
  output_config: true,
  cache_control: true,
  service_tier: true,
  speed: true,
  inference_geo: true,
  container: true,
  diagnostics: true,
  context_management: true,
  compaction: true,
  thread: true,
  mcp_servers: true,
  fallbacks: true,
  fallback_credit_token: true,
  billing_policy: true,
  betas: true,
  version: true,
  budget: true,
  window: true,
} satisfies Record<keyof ConversationSettings, true>)

/**
 * Throws an `AnthropicError` that names the nearest option if one of the options is not known. With `betas`, fields of the
 * API that this version does not know are accepted.
 *
 * @param names the options besides the settings of a conversation.
 * @param owner the function that the options belong to.
 */
export function checkSettingNames(given: object, names: readonly string[], owner: string): void {
  checkOptionsObject(given, owner)
  checkOwnOptions(given, [...names, ...settingNames], owner)
  const unknown = Object.entries(given).filter(([name]) => !settingNames.includes(name) && !names.includes(name))
  if (unknown.length === 0) return
  const known = [...names, ...settingNames]
  const { betas = [] } = given as Partial<ConversationSettings>
  const refused = unknown.filter(([name]) => betas.length === 0 || nearestName(name, known) !== undefined)
  checkOptionNames(Object.fromEntries(refused), known, owner)
}

/** Checks the required settings, those of this library and the types of those it reads. All else is left to the API. */
export function checkSettings(settings: Partial<ConversationSettings>): asserts settings is ConversationSettings {
  // They are stored as JSON.
  jsonText(settings, 'set the settings of a conversation')
  const { model, max_tokens: maxTokens, budget, window } = settings
  if (budget !== undefined) checkBudget(budget)
  if (window !== undefined) checkWindow(window)
  if (typeof model !== 'string' || model === '') {
    throw new AnthropicError(`Cannot set the model of a conversation: found ${describeValue(model)}`)
  }
  if (!Number.isInteger(maxTokens) || maxTokens! < 1) {
    throw new AnthropicError(
      `Cannot set max_tokens of a conversation as it must be a positive integer: found ${describeValue(maxTokens)}`,
    )
  }
  checkTypes(settings)
  checkCompaction({ ...settings, model, max_tokens: maxTokens! })
}

/** The settings that this library reads itself, for counts, marks and headers: a wrong type would fail there. */
function checkTypes(settings: Partial<ConversationSettings>): void {
  const { system, tools, betas, stop_sequences: stops } = settings
  if (system != null && typeof system !== 'string') checkList('system', 'blocks', system, isObject)
  checkTools(tools)
  if (betas !== undefined) checkList('betas', 'strings', betas, isText)
  if (stops != null) checkList('stop_sequences', 'strings', stops, isText)
  for (const name of objectNames) {
    const found = settings[name]
    if (found == null || isObject(found)) continue
    throw new AnthropicError(
      `Cannot set ${name} of a conversation as it must be an object: found ${describeValue(found)}`,
    )
  }
}

/** Settings whose members this library reads. */
const objectNames = ['metadata', 'thinking', 'tool_choice', 'output_config'] as const

/** Whether the option `tools` of a turn, which may be undefined, is a list of objects. */
export function isToolList<Tool>(tools: readonly Tool[] | undefined): tools is readonly Tool[] {
  return Array.isArray(tools) && tools.every(isObject)
}

/** Also checks the option `tools` of a turn, whose tools run in this process. */
export function checkTools(tools: unknown): void {
  if (tools !== undefined) checkList('tools', 'objects', tools, isObject)
}

function checkList(name: string, kind: string, found: unknown, accepts: (value: unknown) => boolean): void {
  if (Array.isArray(found) && found.every(accepts)) return
  throw new AnthropicError(
    `Cannot set ${name} of a conversation as it must be a list of ${kind}: found ${describeValue(found)}`,
  )
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

/** The settings with changes applied. A change to undefined removes the setting. */
export function changeSettings(
  settings: Partial<ConversationSettings>,
  changes: SettingsChanges,
): ConversationSettings {
  const changed = { ...settings, ...changes } as Partial<ConversationSettings>
  for (const [name, value] of Object.entries(changed)) {
    if (value === undefined) delete changed[name as keyof typeof changed]
  }
  checkSettings(changed)
  return changed
}
