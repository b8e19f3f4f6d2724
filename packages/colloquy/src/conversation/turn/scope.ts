import type { Engine } from '../../protocol/types/engine.ts'
import type { Limits } from '../money/limits.ts'
import type { ConversationState } from './state.ts'
import type { TurnControl } from './turn.ts'

/** The values that every stage of a turn needs. */
export interface TurnScope {
  readonly state: ConversationState
  readonly config: TurnConfig
  readonly control: TurnControl
}

/** The configuration that all turns of a store share: the options of `openConversations()`. */
export interface TurnConfig {
  engine: Engine
  /** How often what has arrived of a reply is written to the store, in milliseconds. */
  journalMs: number
  /** Whether cache breakpoints are placed. */
  cacheMarks: boolean
  /** Limits for all conversations of the store together. */
  limits: Limits | undefined
}
