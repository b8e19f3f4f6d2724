import type { Engine } from '../../protocol/types/engine.ts'
import type { PauseExperience } from '../cache/cache-policy.ts'
import type { Limits } from '../money/limits.ts'
import type { TurnLease } from './request/turn-lease.ts'
import type { ConversationState } from './state.ts'
import type { RunningTurns } from './stream/running-turns.ts'
import type { TurnControl } from './turn.ts'

/** The values that every stage of a turn needs. */
export interface TurnScope {
  readonly state: ConversationState
  readonly config: TurnConfig
  readonly control: TurnControl
  readonly lease: TurnLease
}

/** The configuration that all turns of a store share: the options of `openConversations()`. */
export interface TurnConfig {
  engine: Engine
  /** How often what has arrived of a reply is written to the store, in milliseconds. */
  journalMs: number
  /** Whether cache breakpoints are placed. */
  cacheMarks: boolean
  /** Whether replies keep how they were requested and arrived. */
  traces: boolean
  /** Limits for all conversations of the store together. */
  limits: Limits | undefined
  /** The pauses in all conversations, by which the lifetime of cache entries is chosen. */
  pauses: PauseExperience
  turns: RunningTurns
}
