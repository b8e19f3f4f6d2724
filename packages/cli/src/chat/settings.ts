import { readFileSync } from 'node:fs'
import type { ConversationSettings, TurnOptions } from 'colloquy/conversation'
import type { Connection } from '../connect.ts'
import { UsageError } from '../exit.ts'
import type { Environment, Flags } from '../flags.ts'
import { systemReason } from '../system-error.ts'
import { thinkingForModel, thinkingSettings, type ThinkingLevel } from './thinking.ts'

const defaultModel = 'claude-sonnet-5-5'
const defaultMaxTokens = 8192

/** The model of a new chat: `--model`, `COLLOQUY_MODEL`, `ANTHROPIC_MODEL`, or the default. */
export function modelFrom(flags: Flags, env: Environment = process.env): string {
  return flags.text('model') ?? env['COLLOQUY_MODEL'] ?? env['ANTHROPIC_MODEL'] ?? defaultModel
}

/** The settings of a new chat. */
export function settingsFrom(flags: Flags, env: Environment = process.env): ConversationSettings {
  const settings = { model: modelFrom(flags, env), max_tokens: defaultMaxTokens }
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
export function turnOptionsFrom(flags: Flags, { isOffline }: Connection): TurnOptions {
  const usd = flags.number('max-cost')
  return usd === undefined || isOffline ? {} : { budget: { usd, fit: true } }
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
