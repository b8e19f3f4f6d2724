import type { History } from '../../history/history.ts'
import type { CostCeiling } from '../../money/cost-ceiling.ts'
import type { Limits } from '../../money/limits.ts'
import type { Budget } from '../../settings.ts'
import type { Account, BeginStep, BegunTurn } from '../../stores/store.ts'

/** A request that is to begin. */
export interface RequestToBegin extends Pick<BeginStep, 'parent' | 'messages' | 'key' | 'title'> {
  role: 'assistant' | 'summary'
  /** The messages before those that the request adds. */
  history: History
  limits: LimitSet
  ceiling: CostCeiling | undefined
  /** `metadata.user_id` of the request; empty if there is none. */
  user: string
  /** The settings that are part of the prompt, as JSON. Used by the next cost estimate only. */
  promptSettings?: string | undefined
}

/** A request that has begun: its reply has a place in the store, and the most that it can take is reserved. */
export interface BegunRequest extends BegunTurn {
  role: 'assistant' | 'summary'
  /** The message that the reply answers. */
  parent: number
  /** The messages before the reply. */
  history: History
  /** In milliseconds since 1970. */
  at: number
  /** The highest `max_tokens` that no limit forbids. Undefined if there are no limits. */
  maxTokens: number | undefined
  /** The accounts that the request is charged to. */
  accounts: readonly Account[] | undefined
}

/** The limits of a request: its conversation's budget and the store's limits. */
export interface LimitSet {
  budget: Budget | undefined
  limits: Limits | undefined
}
