import type { APIError } from '../../protocol/types/error.ts'
import { longestTimerMs } from '../../tools/timer.ts'
import { isRetryable } from './errors.ts'
import { timeoutAndRetryNames, type OnRetry, type TimeoutAndRetryOptions } from './options.ts'

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

const defaults: TimeoutAndRetryOptions = { idleTimeout: 60_000, totalTimeout: 0, maxRetryDelay: 60_000 }

/** The policy of a request: its own options, those of the client, or the defaults. */
export function retryPolicy(
  request: TimeoutAndRetryOptions,
  client: TimeoutAndRetryOptions & { timeout: number; maxRetries: number },
): RetryPolicy {
  const policy: Record<string, unknown> = {}
  for (const name of timeoutAndRetryNames) policy[name] = request[name] ?? client[name] ?? defaults[name]
  // Every option has a default but `onRetry`, which the policy may lack.
  return policy as unknown as RetryPolicy
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
