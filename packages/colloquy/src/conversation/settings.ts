import type { Model } from '../protocol/types/message.ts'
import type { MessageCreateParams } from '../protocol/types/params.ts'

/** What every request of a conversation says besides its messages. Kept with the conversation. */
export interface ConversationSettings extends Omit<MessageCreateParams, 'messages' | 'stream'> {
  /** The values of `anthropic-beta`. Default none. */
  betas?: readonly string[]
  /** The value of `anthropic-version`. Default: the engine's. */
  version?: string
  /** What the conversation may cost. Default: no limit. */
  budget?: Budget
  /** What happens when it grows too long to be sent. Default: `fail` at the model's window. */
  window?: Window
}

/** What a conversation may cost. Checked before a call against the most that it can cost; nothing is sent beyond it. */
export interface Budget {
  /** The most that all calls of the conversation may cost together, in US dollars at list prices. */
  usd?: number
  /** The most that one call may cost, in US dollars at list prices. */
  usdPerCall?: number
  /** The most tokens that all calls may use together, prompts and replies. */
  tokens?: number
  /** The most tokens that one call may use, prompt and reply. */
  tokensPerCall?: number
  /** Lowers `max_tokens` to what is left instead of refusing. Default false. */
  fit?: boolean
}

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
