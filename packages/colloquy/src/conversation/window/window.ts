import { checkOptionNames, checkOwnOptions, describeValue } from '../../protocol/json/option-names.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import { findModel } from '../../protocol/models/models.ts'
import { leastCompactTokens, longestAtLowestPrice } from './compaction.ts'
import type { ConversationSettings, Window } from '../settings.ts'

/** The prompt is longer than the window allows. Nothing was written and nothing was sent. */
export class WindowError extends AnthropicError {
  override name = 'WindowError'
  readonly promptTokens: number
  readonly limit: number

  constructor(promptTokens: number, limit: number) {
    super(`Cannot send a prompt of ${promptTokens} tokens: at most ${limit} fit`)
    this.promptTokens = promptTokens
    this.limit = limit
  }
}

const policies: readonly unknown[] = ['fail', 'drop', 'summarize', 'compact'] satisfies Window['policy'][]

const windowNames = Object.keys({
  policy: true,
  atTokens: true,
  keepTurns: true,
  model: true,
  instructions: true,
} satisfies Record<keyof Window, true>)

/** Throws an `AnthropicError` if an option is misspelt or not valid. */
export function checkWindow(window: Window): void {
  checkOptionNames(window, windowNames, 'window')
  checkOwnOptions(window, windowNames, 'window')
  const { policy, atTokens, keepTurns, model, instructions } = window
  if (!policies.includes(policy)) {
    throw new AnthropicError(
      `Cannot set window.policy as it must be one of ${policies.join(', ')}: found ${describeValue(policy)}`,
    )
  }
  for (const [name, count] of Object.entries({ atTokens, keepTurns })) {
    if (count === undefined || (Number.isInteger(count) && count > 0)) continue
    throw new AnthropicError(
      `Cannot set window.${name} as it must be a positive integer: found ${describeValue(count)}`,
    )
  }
  for (const [name, text] of Object.entries({ model, instructions })) {
    if (text === undefined || (typeof text === 'string' && text.trim() !== '')) continue
    throw new AnthropicError(`Cannot set window.${name} as it must be a text: found ${describeValue(text)}`)
  }
  if (policy === 'compact' && atTokens !== undefined && atTokens < leastCompactTokens) {
    throw new AnthropicError(
      `Cannot set window.atTokens of 'compact' as the API takes ${leastCompactTokens} at least: found ${atTokens}`,
    )
  }
}

/** The prompt size in tokens at which turns are dropped or summarized; undefined if unlimited. */
export function promptLimit(settings: ConversationSettings): number | undefined {
  const { model, max_tokens: reply, window } = settings
  if (window?.atTokens !== undefined) return window.atTokens
  const size = windowOf(settings)
  if (size === undefined) return undefined
  return Math.min(Math.max(size - reply, 1), longestAtLowestPrice(model))
}

/** The model's window in tokens; undefined if it is unknown or the API shortens the prompt itself. */
export function windowOf(settings: ConversationSettings): number | undefined {
  if (settings.context_management) return undefined
  const isLong = settings.betas?.some((beta) => beta.startsWith('context-1m'))
  const size = findModel(settings.model)?.contextTokens
  return size !== undefined && isLong ? Math.max(size, 1_000_000) : size
}

/**
 * The limit that the prompt may exceed; undefined if it certainly fits.
 *
 * @param tokens an estimate of its tokens that errs on the high side.
 */
export function limitNear(settings: ConversationSettings, tokens: number): number | undefined {
  // The API compacts a prompt that is too long.
  if (settings.window?.policy === 'compact') return undefined
  const limit = settings.window?.atTokens ?? windowOf(settings)
  return limit === undefined || tokens <= limit ? undefined : limit
}

/**
 * Throws `WindowError` if the prompt does not fit. An estimate never refuses by itself: a prompt near the limit is counted.
 *
 * @param countTokens counts the prompt's tokens; undefined if the engine cannot.
 */
export async function checkFits(limit: number, countTokens: () => Promise<number | undefined>): Promise<void> {
  const found = await countTokens()
  if (found !== undefined && found > limit) throw new WindowError(found, limit)
}
