import type { Engine, EngineContext } from '../../protocol/types/engine.ts'
import type { MessageCreateParams, MessageParam } from '../../protocol/types/params.ts'
import type { History } from '../history/history.ts'
import { containerIn } from '../history/reply-record.ts'
import type { ConversationSettings } from '../settings.ts'
import { withCompaction } from '../window/compaction.ts'
import { planWindow, type WindowPlan } from '../window/plan-window.ts'
import { checkFits, limitNear } from '../window/window.ts'
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
  /** The messages that are added, as JSON. */
  added: readonly string[]
  /** Builds the request. */
  params: () => MessageCreateParams
}

/** Fits a plan into the window: decides how much of the history is sent. Throws `WindowError` if it does not fit. */
export async function fitPrompt(
  { state, config }: TurnScope,
  given: ConversationSettings,
  plan: Plan,
): Promise<Prompt> {
  const settings = withContainer(given, plan.history)
  const added = plan.messages.map(({ json }) => json)
  const window = planWindow({ settings, history: plan.history, added, summaries: state.summaries })
  const history = plan.history.visibleThrough(window)
  const params = (): MessageCreateParams => {
    const all = plan.messages.reduce((before, { role, json }) => before.appendingJson(role, json), history)
    return requestOf(settings, plan, all.sent).params
  }
  const limit = limitNear(settings, window.tokens)
  if (limit !== undefined) await checkFits(limit, () => countedTokens(config.engine, params))
  return { settings, plan, window, history, added, params }
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
}

/** Builds a request from settings and messages. */
export function requestOf(
  given: ConversationSettings,
  { prefill }: Pick<Plan, 'prefill'>,
  messages: MessageParam[],
): RequestParts {
  const { betas, version, budget: _, window: __, ...settings } = withCompaction(given)
  const sent: MessageParam[] =
    prefill === undefined ? messages : [...messages, { role: 'assistant', content: [...prefill] }]
  return {
    params: { ...settings, messages: sent },
    context: { ...(betas === undefined ? {} : { betas }), ...(version === undefined ? {} : { version }) },
  }
}

/** The prompt's tokens, counted by the engine. Undefined if the engine cannot count. */
export async function countedTokens(engine: Engine, params: () => MessageCreateParams): Promise<number | undefined> {
  if (engine.countTokens === undefined) return undefined
  const { max_tokens: _, stream: __, metadata: ___, stop_sequences: ____, ...counted } = params()
  return (await engine.countTokens(counted)).input_tokens
}
