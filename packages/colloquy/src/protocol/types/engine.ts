import type { MessageStreamEvent, PingEvent } from './event.ts'
import type { MessageCountTokensParams, MessageCreateParams, MessageTokensCount } from './params.ts'

/**
 * Whatever turns a request into stream events: a client, a local model, a recording, a proxy, a loop around another engine.
 *
 * It streams always; `stream: false` is `accumulate(engine(…))`. A failure is thrown, as an `APIError` where the API has a
 * name for it, before the first event or after. It stops soon after `signal` aborts and then throws `APIUserAbortError` or
 * the signal's reason. The consumer may leave early (`return()`): the engine then lets go of everything it holds.
 */
export interface Engine {
  (params: MessageCreateParams, context?: EngineContext): AsyncIterable<MessageStreamEvent | PingEvent>
  /** Counts the prompt. Absent where the engine cannot. */
  countTokens?(params: MessageCountTokensParams, context?: EngineContext): Promise<MessageTokensCount>
}

/** What comes with a request and is no part of its body. */
export interface EngineContext {
  signal?: AbortSignal
  /** The values of `anthropic-beta`. */
  betas?: readonly string[]
  /** The value of `anthropic-version`. Default `2026-10-21`. */
  version?: string
}
