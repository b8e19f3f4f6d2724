import type { ConversationSettings, TurnOptions } from 'colloquy/conversation'
import { findModel } from 'colloquy/protocol'
import type { Connection } from '../../engine/connect.ts'
import { modelForServer } from '../../engine/choose.ts'
import { isOfClaude, ownModel, type EngineKind } from '../../engine/engine-kind.ts'
import { severalModels } from '../../engine/served-models.ts'
import { UsageError } from '../../exit.ts'
import { withHome } from '../../file-paths.ts'
import type { Environment, Flags } from '../../flags.ts'
import { systemReason } from '../../errors/system-error.ts'
import { modelId } from './model-name.ts'
import { thinkingForModel, thinkingIfAble, thinkingSettings, withoutThinking, type ThinkingLevel } from './thinking.ts'
import { readText } from '../../read-text.ts'

const defaultModel = 'claude-sonnet-5-5'
const defaultMaxTokens = 8192
/** The default of `contextSize` of a model in this process. */
const contextSize = 4096

type Limits = Pick<ConversationSettings, 'max_tokens' | 'window'>

/**
 * The limits of a chat with an engine. With the policy `summarize` a chat can continue when the model's window is full; a small
 * model's summary would not be worth much.
 *
 * @param chosen the longest reply, if the user chose it. A small window keeps so much free of the prompt, at most its half.
 * Default: a quarter of it.
 */
function limitsOf(engine: EngineKind, chosen?: number): Limits {
  const window = windowOf(engine)
  if (window === undefined || window > 4 * defaultMaxTokens) {
    return { max_tokens: defaultMaxTokens, window: { policy: 'summarize' } }
  }
  const max_tokens = Math.max(1, Math.min(chosen ?? Math.floor(window / 4), Math.floor(window / 2)))
  return { max_tokens, window: { policy: 'drop', atTokens: Math.max(1, window - max_tokens) } }
}

/** The most tokens of a chat, prompt and reply together; undefined if not known. */
export function windowTokens(engine: EngineKind, model: string): number | undefined {
  return windowOf(engine) ?? findModel(model)?.contextTokens
}

/** The tokens that an engine of this machine or a server holds; undefined if not known. */
function windowOf(engine: EngineKind): number | undefined {
  if (engine.kind === 'local') return Math.min(engine.model.window ?? Infinity, contextSize)
  return engine.kind === 'chat' ? engine.window : undefined
}

/**
 * The model of a new chat: the engine's own, `--model`, `COLLOQUY_MODEL`, `ANTHROPIC_MODEL`, or the default. Throws a
 * `UsageError` for a server with several models if none was named.
 */
export function modelFrom(flags: Flags, engine: EngineKind, env: Environment = process.env): string {
  const own = ownModel(engine)
  if (own !== undefined) return own
  const forServer = engine.kind === 'chat' ? modelForServer(flags, env) : undefined
  if (forServer !== undefined) return forServer
  if (engine.kind === 'chat' && engine.served !== undefined) throw severalModels(engine)
  const named = flags.text('model') ?? env['COLLOQUY_MODEL'] ?? env['ANTHROPIC_MODEL']
  return named === undefined ? defaultModel : modelId(named, engine)
}

/** The settings of a new chat. */
export function settingsFrom(flags: Flags, engine: EngineKind, env: Environment = process.env): ConversationSettings {
  const settings: ConversationSettings = {
    model: modelFrom(flags, engine, env),
    ...limitsOf(engine, flags.number('max-tokens')),
  }
  return { ...settings, ...changesFrom(flags, settings, engine) }
}

/** The settings to change when another engine or model continues a chat. Thinking that the model lacks is left out. */
export function settingsForEngine(
  current: ConversationSettings,
  engine: EngineKind,
  model: string,
  before: EngineKind = engine,
): Partial<ConversationSettings> {
  const limits = limitsOf(engine)
  // A length that the user chose stays, if the model can write that much.
  const isChosen = current.max_tokens !== limitsOf(before).max_tokens
  const max_tokens = isChosen ? Math.min(current.max_tokens, limits.max_tokens) : limits.max_tokens
  const isSame = ownModel(engine) === ownModel(before) && engine.kind === before.kind
  const changes = { model, ...(!isSame && { ...limits, max_tokens }) }
  const next = { ...current, ...changes }
  return { ...changes, ...(ownModel(engine) === undefined ? thinkingIfAble(next, model) : withoutThinking()) }
}

/** The settings to change in a chat that an engine continues, if its model is another one. */
export function settingsToContinue(
  current: ConversationSettings,
  engine: EngineKind,
  flags: Flags,
): Partial<ConversationSettings> {
  return isForeign(current.model, engine)
    ? settingsForEngine(current, engine, modelFrom(flags, engine), { kind: 'offline' })
    : {}
}

/** Whether an engine cannot have the model of a chat that was begun with another one. */
function isForeign(model: string, engine: EngineKind): boolean {
  const own = ownModel(engine)
  if (own !== undefined) return own !== model
  if (engine.kind === 'chat') return engine.served === undefined ? isOfClaude(model) : !engine.served.includes(model)
  return engine.kind === 'api' && !process.env['ANTHROPIC_BASE_URL'] && !isOfClaude(model)
}

/** The settings that the flags change in a chat that is continued. */
export function changesFrom(
  flags: Flags,
  current: ConversationSettings,
  engine: EngineKind,
): Partial<ConversationSettings> {
  // An engine with a model of its own ignores another name.
  const named = ownModel(engine) === undefined ? flags.text('model') : undefined
  const model = named === undefined ? undefined : modelId(named, engine)
  const system = flags.text('system')
  const maxTokens = flags.number('max-tokens')
  const thinking = flags.text('thinking')
  if (maxTokens === 0) throw new UsageError(`Cannot use --max-tokens ${maxTokens}: it must be at least 1`)
  const changes = {
    ...(model !== undefined && { model }),
    ...(system !== undefined && { system: systemText(system) }),
    ...(maxTokens !== undefined && { max_tokens: maxTokens }),
  }
  const next = { ...current, ...changes }
  if (thinking !== undefined) return { ...changes, ...thinkingSettings(thinking as ThinkingLevel, next) }
  const isSameForm = model === undefined && maxTokens === undefined
  return isSameForm ? changes : { ...changes, ...thinkingForModel(next, next.model) }
}

/** The options of every turn: with `--max-cost` a reply is kept short enough for the chat to stay within the budget. */
export function turnOptionsFrom(flags: Flags, { isLocal }: Connection): TurnOptions {
  const usd = flags.number('max-cost')
  return usd === undefined || isLocal ? {} : { budget: { usd, fit: true } }
}

/** A system prompt as given, or if it begins with `@`, the text of that file. */
export function systemText(value: string): string {
  if (!value.startsWith('@')) return value
  try {
    return readText(withHome(value.slice(1)))
  } catch (error) {
    throw new UsageError(`Cannot read the system prompt from ${value.slice(1)}: ${systemReason(error)}`)
  }
}
