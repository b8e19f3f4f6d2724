import type { APIError } from '../../protocol/types/error.ts'
import { longestTimerMs } from '../../tools/timer.ts'
import { isRetryable } from './errors.ts'
import type { OnRetry, TimeoutAndRetryOptions } from './options.ts'

/** The options of a request about time and retries, with their defaults. Times in milliseconds; 0 means no limit. */
export interface RetryPolicy {
  timeout: number
  idleTimeout: number
  totalTimeout: number
  maxRetries: number
  maxRetryDelay: number
  onRetry: OnRetry | undefined
  /** Whether the next attempt has other credentials, so that it may succeed. */
  hasOtherCredentials?: ((error: unknown) => boolean) | undefined
}

/** The policy of a request: its own options, those of the client, or the defaults. A client may change two of its options. */
export function retryPolicy(
  request: TimeoutAndRetryOptions,
  options: TimeoutAndRetryOptions,
  client: { readonly timeout: number; readonly maxRetries: number },
  hasOtherCredentials: RetryPolicy['hasOtherCredentials'],
): RetryPolicy {
  return {
    timeout: request.timeout ?? client.timeout,
    idleTimeout: request.idleTimeout ?? options.idleTimeout ?? 60_000,
    totalTimeout: request.totalTimeout ?? options.totalTimeout ?? 0,
    maxRetries: request.maxRetries ?? client.maxRetries,
    maxRetryDelay: request.maxRetryDelay ?? options.maxRetryDelay ?? 60_000,
    onRetry: request.onRetry ?? options.onRetry,
    hasOtherCredentials,
  }
}

export interface RetryState {
  /** Retries made so far. */
  retries: number
  policy: Pick<RetryPolicy, 'maxRetries' | 'maxRetryDelay' | 'hasOtherCredentials'>
  /** The rest of `totalTimeout`, or Infinity. */
  remainingMs: number
}

/** Whether to make another attempt; if an option forbids it, which one. */
export type RetryDecision =
  | { retry: true; delayMs: number }
  | { retry: false; because?: 'maxRetries' | 'maxRetryDelay' | 'totalTimeout' }

/** Decides what follows a failed attempt. */
export function decideRetry(error: unknown, { retries, policy, remainingMs }: RetryState): RetryDecision {
  if (!isRetryable(error) && !policy.hasOtherCredentials?.(error)) return { retry: false }
  if (retries >= policy.maxRetries) return { retry: false, because: 'maxRetries' }
  const longestMs = Math.min(policy.maxRetryDelay || Infinity, longestTimerMs)
  const requestedMs = (error as APIError).retryAfterMs
  if (requestedMs !== null && requestedMs > longestMs) return { retry: false, because: 'maxRetryDelay' }
  const delayMs = requestedMs ?? Math.min(backoffMs(retries), longestMs)
  return delayMs < remainingMs ? { retry: true, delayMs } : { retry: false, because: 'totalTimeout' }
}

/** 0.5, 1, 2, 4, 8, 8 … seconds, each up to a quarter shorter, so that clients that failed together do not return together. */
function backoffMs(retries: number): number {
  return Math.min(500 * 2 ** retries, 8000) * (1 - Math.random() / 4)
}
