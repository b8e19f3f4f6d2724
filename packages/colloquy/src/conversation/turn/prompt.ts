import type { Engine, EngineContext } from '../../protocol/types/engine.ts'
import type { MessageCreateParams, MessageParam } from '../../protocol/types/params.ts'
import type { RequestSettings } from '../../protocol/models/longest-calls.ts'
import type { CachedRequest } from '../cache/cache-planner.ts'
import type { History } from '../history/history.ts'
import { containerIn } from '../history/reply-record.ts'
import { oncePer } from '../once-per.ts'
import type { ConversationSettings } from '../settings.ts'
import { withCompaction } from '../window/compaction.ts'
import { planWindow, type WindowPlan } from '../window/plan-window.ts'
import { limitNear } from '../window/window.ts'
import type { Plan } from './plan.ts'
import type { TurnScope } from './scope.ts'

/** The settings and messages of a request, before it is priced and begun. */
export interface Prompt {
  settings: ConversationSettings
  plan: Plan
  /** How much of the history is sent. */
  window: WindowPlan
  /** The messages of the history that are sent. */
  history: History
  /** Builds the request. */
  params: () => MessageCreateParams
  /** The limit that the prompt may exceed; undefined if it certainly fits. */
  nearLimit: number | undefined
}

/** Fits a plan into the window: decides how much of the history is sent. */
export function fitPrompt({ state }: TurnScope, given: ConversationSettings, plan: Plan): Prompt {
  const settings = withContainer(given, plan.history)
  const window = planWindow({ settings, history: plan.history, added: plan.messages, summaries: state.summaries })
  const history = plan.history.visibleThrough(window)
  const params = (): MessageCreateParams => {
    const all = plan.messages.reduce((before, { role, json }) => before.appendingJson(role, json), history)
    return requestOf(settings, plan, all).params
  }
  return { settings, plan, window, history, params, nearLimit: limitNear(settings, window.tokens) }
}

/**
 * The settings with the container of the last reply that ran code, so that its files and pending calls are still there. A
 * container that the settings name, and one that has expired, is left alone.
 */
export function withContainer(settings: ConversationSettings, history: History): ConversationSettings {
  const { container: given, tools } = settings
  if (typeof given === 'string' || given?.id || !tools?.some(({ type }) => type?.startsWith('code_execution'))) {
    return settings
  }
  const container = containerIn(history.records)
  if (!container || Date.parse(container.expires_at) <= Date.now()) return settings
  return { ...settings, container: given ? { ...given, id: container.id } : container.id }
}

/** A request: its body, and what travels in its headers. */
export interface RequestParts {
  params: MessageCreateParams
  context: EngineContext
  /** The plan for the prompt cache, if breakpoints were placed. */
  cached?: CachedRequest | undefined
}

/**
 * Builds a request.
 *
 * @param history the messages that are sent.
 * @param planCache places cache breakpoints. Default: none.
 */
export function requestOf(
  given: ConversationSettings,
  { prefill }: Pick<Plan, 'prefill'>,
  history: History,
  planCache?: (settings: RequestSettings) => CachedRequest | undefined,
): RequestParts {
  const { settings, context } = splitSettings(withCompaction(given))
  if (prefill !== undefined) {
    // It carries no breakpoint.
    const messages: MessageParam[] = [...history.sent, { role: 'assistant', content: [...prefill] }]
    return { params: { ...settings, messages }, context }
  }
  const cached = planCache?.(settings)
  return { params: cached?.params ?? { ...settings, messages: history.sent }, context, cached }
}

/** The parameters of the request besides its messages. */
export function sentSettings(given: ConversationSettings): RequestSettings {
  return splitSettings(withCompaction(given)).settings
}

/** The parts of the settings that are sent in the body and in the headers. */
interface SplitSettings {
  settings: RequestSettings
  context: EngineContext
}

const splitSettings = oncePer((given: ConversationSettings): SplitSettings => {
  const { betas, version, budget: _, window: __, ...settings } = given
  const context = { ...(betas === undefined ? {} : { betas }), ...(version === undefined ? {} : { version }) }
  return { settings, context }
})

/** The prompt's tokens, counted by the engine. Undefined if the engine cannot count. */
export async function countedTokens(engine: Engine, params: () => MessageCreateParams): Promise<number | undefined> {
  if (engine.countTokens === undefined) return undefined
  const { max_tokens: _, stream: __, metadata: ___, stop_sequences: ____, ...counted } = params()
  return (await engine.countTokens(counted)).input_tokens
}
