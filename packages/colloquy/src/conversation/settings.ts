import type { Model } from '../protocol/types/message.ts'
import type { MessageCreateParams } from '../protocol/types/params.ts'

/** The settings of every request of a conversation: everything but its messages. They are stored with the conversation. */
export interface ConversationSettings extends Omit<MessageCreateParams, 'messages' | 'stream'> {
  /** The values of `anthropic-beta`. Default none. */
  betas?: readonly string[]
  /** The value of `anthropic-version`. Default: the engine's. */
  version?: string
  /** The limits of the conversation. Default: none. */
  budget?: Budget
  /** The policy for prompts that grow too long. Default: `fail` at the model's window. */
  window?: Window
}

/** Changes of settings, as `configure()` takes them. Undefined removes a setting. */
export type SettingsChanges = { [Name in keyof ConversationSettings]?: ConversationSettings[Name] | undefined }

/** Limits for a conversation. A request that could cost more than is left is refused before it is sent. */
export interface Budget {
  /** The most that all requests of the conversation may cost together, in US dollars at list prices. */
  usd?: number
  /** The most that one request may cost, in US dollars at list prices. */
  usdPerCall?: number
  /** The most tokens that all requests may use together, prompts and replies. */
  tokens?: number
  /** The most tokens that one request may use, prompt and reply. */
  tokensPerCall?: number
  /** Lowers `max_tokens` to what is left instead of refusing the request. Default false. */
  fit?: boolean
}

/** The policy for a prompt that would be longer than the model's window, or than `atTokens`. */
export interface Window {
  /**
   * - `fail`: throws a `WindowError`.
   * - `drop`: leaves out the oldest turns, down to half the limit. The prompt then begins at the same message for many turns,
   *   and is read from the prompt cache.
   * - `summarize`: a request of its own summarizes the oldest turns, and the summary is sent in their place.
   * - `compact`: the API does that itself, as a part of the reply. Models of the 4.5 family cannot.
   *
   * Messages that are not sent stay in the store.
   */
  policy: 'fail' | 'drop' | 'summarize' | 'compact'
  /**
   * The longest prompt, in tokens; for `compact` at least 50,000. Default: the model's window. Except for `fail`, the
   * default leaves room for `max_tokens` and stays below the length from which a token costs more.
   */
  atTokens?: number
  /**
   * How many turns `drop` and `summarize` continue to send, including the new one. Default: as many as half the limit holds;
   * for `summarize` at most 3.
   */
  keepTurns?: number
  /**
   * The model that writes the summary, for `summarize`. Default: the conversation's model, which reads most of it from the
   * prompt cache.
   */
  model?: Model
  /** The instructions for the summary, for `summarize` and `compact`. Default: this library's, or the API's. */
  instructions?: string
}
