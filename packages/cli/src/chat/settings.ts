import { readFileSync } from 'node:fs'
import type { ConversationSettings, TurnOptions } from 'colloquy/conversation'
import type { Connection } from '../engine/connect.ts'
import type { EngineKind } from '../engine/engine-kind.ts'
import { UsageError } from '../exit.ts'
import type { Environment, Flags } from '../flags.ts'
import { systemReason } from '../system-error.ts'
import { thinkingForModel, thinkingSettings, type ThinkingLevel } from './thinking.ts'

const defaultModel = 'claude-sonnet-5-5'
const defaultMaxTokens = 8192

/** A local model holds 4,096 tokens, prompt and reply together. */
const localLimits = { max_tokens: 1_024, window: { policy: 'drop', atTokens: 3_000 } } as const

/** The model of a new chat: `--model`, `COLLOQUY_MODEL`, `ANTHROPIC_MODEL`, or the engine's own. */
export function modelFrom(flags: Flags, engine: EngineKind, env: Environment = process.env): string {
  const own = engine.kind === 'local' ? engine.model.title : defaultModel
  return flags.text('model') ?? env['COLLOQUY_MODEL'] ?? env['ANTHROPIC_MODEL'] ?? own
}

/** The settings of a new chat. With the policy `summarize` it can continue when the model's window is full. */
export function settingsFrom(flags: Flags, engine: EngineKind, env: Environment = process.env): ConversationSettings {
  const model = modelFrom(flags, engine, env)
  const settings: ConversationSettings =
    engine.kind === 'local'
      ? { model, ...localLimits }
      : { model, max_tokens: defaultMaxTokens, window: { policy: 'summarize' } }
  return { ...settings, ...changesFrom(flags, settings) }
}

/** The settings that the flags change in a chat that is continued. */
export function changesFrom(flags: Flags, current: ConversationSettings): Partial<ConversationSettings> {
  const model = flags.text('model')
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
    return readFileSync(value.slice(1), 'utf8')
  } catch (error) {
    throw new UsageError(`Cannot read the system prompt from ${value.slice(1)}: ${systemReason(error)}`)
  }
}
