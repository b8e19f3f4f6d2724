import type { KeyLimits } from '../keys/settings.ts'

/** The limits of tokens. */
export const tokensPerMinute = ['input_tokens_per_minute', 'output_tokens_per_minute'] as const
/** The limits of what is counted in a minute. */
export const perMinute = ['requests_per_minute', 'input_tokens_per_minute', 'output_tokens_per_minute'] as const
export type PerMinute = (typeof perMinute)[number]

/** A request to count. */
export interface CountedRequest {
  /** The key and the class of models. Each has a counter of its own. */
  counter: string
  requestId: string
  limits: KeyLimits
  /** An estimate, replaced when the request has ended. */
  inputTokens: number
}

/** The rest of each limit. */
export type Left = Partial<Record<PerMinute, number>>

/** Whether a request may begin. */
export interface CountResult {
  /** After this request, or now if it may not begin. Negative after more tokens than were expected. */
  left: Left
  /** The limit that the request would exceed. Undefined: it may begin. */
  exceeded: keyof KeyLimits | undefined
}

/** The tokens that a request used, to correct the counts. */
export interface CountedUsage extends CountedRequest {
  usedInputTokens: number
  usedOutputTokens: number
}

/**
 * Counts requests and tokens in token buckets. A bucket holds a minute's worth at most and is refilled all the time. A
 * request may begin if no bucket is empty; its tokens may take a bucket below zero, and later requests wait until it is
 * refilled. So a long prompt is never refused for good, and no minute's average exceeds the limit for long.
 */
export interface LimitCounter {
  /** A sentence if it does not count as it should now. */
  readonly problem: string | undefined
  /** Counts a request, or nothing if it would exceed a limit. */
  begin(request: CountedRequest): CountResult | Promise<CountResult>
  /** Corrects the counts when the request has ended. */
  end(usage: CountedUsage): void | Promise<void>
  /** Closes connections. */
  close(): Promise<void>
}
