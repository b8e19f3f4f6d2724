import type { Engine, EngineContext } from '../../protocol/types/engine.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import type { PauseExperience } from '../cache/cache-policy.ts'
import type { Limits } from '../money/limits.ts'
import type { LimitSet } from './request/begun.ts'
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
  /** Keeps cache entries alive while users pause, if that is wanted. */
  keepAlive: CacheKeeper | undefined
  /** Whether replies keep how they were requested and arrived. */
  traces: boolean
  /** Limits for all conversations of the store together. */
  limits: Limits | undefined
  /** The pauses in all conversations, by which the lifetime of cache entries is chosen. */
  pauses: PauseExperience
  turns: RunningTurns
}

/** A request whose cache entry is kept alive. */
export interface KeptRequest {
  params: MessageCreateParams
  context: EngineContext
  /** The most pings until the next turn. */
  pings: number
  limits: LimitSet
  user: string
}

/** Keeps cache entries alive. */
export interface CacheKeeper {
  /** Keeps the entry of a conversation's last request alive until `stop()` is called with its id. */
  start(scope: TurnScope, request: KeptRequest): void
  stop(id: string): void
  close(): Promise<void>
}
