import type { Engine } from '../../protocol/types/engine.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import type { Model } from '../../protocol/types/message.ts'
import { findModel } from '../../protocol/models/models.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import { countedTokens } from '../turn/request.ts'
import { leastCompactTokens } from './compaction.ts'
import { longestAtLowestPrice } from './price-band.ts'
import type { ConversationSettings } from '../settings.ts'

/** What happens before a request that would be longer than the model's window, or than wanted. */
export interface Window {
  /**
   * - `fail`: a `WindowError`.
   * - `drop`: the oldest turns are not sent any more, whole ones, down to half the limit, so that what is sent begins at the
   *   same message, and is read from the prompt cache, for many turns.
   * - `summarize`: a call of its own sums the oldest turns up, and is sent in their place.
   * - `compact`: the API does that itself, as a part of the reply. Models of the 4.5 family cannot.
   *
   * Whatever is not sent stays in the store.
   */
  policy: 'fail' | 'drop' | 'summarize' | 'compact'
  /**
   * The longest prompt, in tokens; for `compact` at least 50,000. Default: the model's window; but for `fail` without room
   * for `max_tokens`, and no more than costs the lowest price for a token.
   */
  atTokens?: number
  /**
   * How many turns `drop` and `summarize` go on sending, the one that is asked included. Default: what half the limit holds,
   * and for `summarize` at most 3.
   */
  keepTurns?: number
  /** Who sums up, for `summarize`. Default: the conversation's model, which reads most of it from the prompt cache. */
  model?: Model
  /** What asks for the summary, for `summarize` and `compact`, in place of our words or the API's. */
  instructions?: string
}

/** The prompt is longer than the window allows. Nothing was written and nothing was sent. */
export class WindowError extends AnthropicError {
  override name = 'WindowError'
  readonly promptTokens: number
  readonly limit: number

  constructor(promptTokens: number, limit: number) {
    super(`Cannot send a prompt of ${promptTokens} tokens: found a window of ${limit}`)
    this.promptTokens = promptTokens
    this.limit = limit
  }
}

const policies: readonly unknown[] = ['fail', 'drop', 'summarize', 'compact'] satisfies Window['policy'][]

/** Throws where a member is not what it must be. */
export function checkWindow({ policy, atTokens, keepTurns, model, instructions }: Window): void {
  if (!policies.includes(policy)) {
    throw new AnthropicError(
      `Cannot set window.policy as it must be one of ${policies.join(', ')}: found ${JSON.stringify(policy)}`,
    )
  }
  for (const [name, count] of Object.entries({ atTokens, keepTurns })) {
    if (count === undefined || (Number.isInteger(count) && count > 0)) continue
    throw new AnthropicError(
      `Cannot set window.${name} as it must be a positive integer: found ${JSON.stringify(count)}`,
    )
  }
  for (const [name, text] of Object.entries({ model, instructions })) {
    if (text === undefined || (typeof text === 'string' && text.trim() !== '')) continue
    throw new AnthropicError(`Cannot set window.${name} as it must be a text: found ${JSON.stringify(text)}`)
  }
  if (policy === 'compact' && atTokens !== undefined && atTokens < leastCompactTokens) {
    throw new AnthropicError(
      `Cannot set window.atTokens of 'compact' as the API takes ${leastCompactTokens} at least: found ${atTokens}`,
    )
  }
}

/** The longest prompt, where turns are to be left out before it is longer; undefined where nothing limits it. */
export function promptLimit(settings: ConversationSettings): number | undefined {
  const { model, max_tokens: reply, window } = settings
  if (window?.atTokens !== undefined) return window.atTokens
  const size = windowOf(settings)
  if (size === undefined) return undefined
  return Math.min(Math.max(size - reply, 1), longestAtLowestPrice(model))
}

/** The model's window in tokens; undefined where nothing is known of it, or where the API shortens the prompt itself. */
export function windowOf(settings: ConversationSettings): number | undefined {
  if ('context_management' in settings) return undefined
  const isLong = settings.betas?.some((beta) => beta.startsWith('context-1m'))
  const size = findModel(settings.model)?.contextTokens
  return size !== undefined && isLong ? Math.max(size, 1_000_000) : size
}

/** Throws `WindowError` where the prompt cannot fit. What is near the limit is counted by the engine, if it counts. */
export async function checkFits(
  request: () => MessageCreateParams,
  tokens: number,
  settings: ConversationSettings,
  engine: Engine,
): Promise<void> {
  // What is too long is compacted when it comes.
  if (settings.window?.policy === 'compact') return
  const limit = settings.window?.atTokens ?? windowOf(settings)
  // The estimate errs on the side of too much, so that it refuses nothing by itself.
  if (limit === undefined || tokens <= limit || !engine.countTokens) return
  const found = await countedTokens(engine, request())
  if (found !== undefined && found > limit) throw new WindowError(found, limit)
}
