import type { Engine } from '../../protocol/types/engine.ts'
import type { Limits } from '../money/limits.ts'
import type { ConversationState } from './state.ts'
import type { TurnControl } from './turn.ts'

/** What a turn works with, from its first stage to its last. */
export interface TurnScope {
  readonly state: ConversationState
  readonly config: TurnConfig
  readonly control: TurnControl
}

/** What all turns of a store have in common: the options of `openConversations()`. */
export interface TurnConfig {
  engine: Engine
  /** How often what has arrived of a reply is written to the store, in milliseconds. */
  journalMs: number
  /** Whether cache breakpoints are placed. */
  cacheMarks: boolean
  /** What all conversations of the store may cost together. */
  limits: Limits | undefined
}
