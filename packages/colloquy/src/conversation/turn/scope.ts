import type { Engine } from '../../protocol/types/engine.ts'
import type { PauseExperience } from '../cache/cache-policy.ts'
import type { Limits } from '../money/limits.ts'
import type { ConversationState } from './state.ts'
import type { RunningTurns } from './stream/running-turns.ts'
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
  toolTurns: ToolTurns
  /** The pauses in all conversations, by which the lifetime of cache entries is chosen. */
  pauses: PauseExperience
  turns: RunningTurns
}

/**
 * The turns of this process that run tools. While they do, the store has no reply in flight that would keep other turns of
 * the same conversation waiting.
 */
export class ToolTurns {
  readonly #turns = new Map<string, Set<TurnControl>>()

  /** Whether another turn of the conversation runs tools. */
  hasOther({ state: { id }, control }: TurnScope): boolean {
    const turns = this.#turns.get(id)
    return turns !== undefined && (turns.size > 1 || !turns.has(control))
  }

  /** Counts a turn for as long as the work takes. */
  async during<Result>({ state: { id }, control }: TurnScope, work: () => Promise<Result>): Promise<Result> {
    const turns = this.#turns.get(id) ?? new Set()
    this.#turns.set(id, turns.add(control))
    try {
      return await work()
    } finally {
      turns.delete(control)
      if (turns.size === 0) this.#turns.delete(id)
    }
  }
}
