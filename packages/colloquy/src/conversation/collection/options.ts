import {
  anything,
  checkOptions as checkRules,
  count,
  flag,
  milliseconds,
  type Rule,
} from '../../engines/check-options.ts'
import { type UpstreamClient, upstream } from '../../engines/upstream.ts'
import { checkOptionNames, describeValue } from '../../protocol/json/option-names.ts'
import type { Engine } from '../../protocol/types/engine.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import { PauseExperience } from '../cache/cache-policy.ts'
import { checkLimits, type Limits } from '../money/limits.ts'
import type { ConversationStore } from '../stores/store.ts'
import { KeepAlive } from '../turn/request/keep-alive.ts'
import type { TurnConfig } from '../turn/scope.ts'
import { RunningTurns } from '../turn/stream/running-turns.ts'

/** Options of `openConversations()`. */
export interface ConversationsOptions {
  /** Sends the requests: this library's client, or the official one. */
  client?: UpstreamClient
  /** Answers the requests, in place of a client. */
  engine?: Engine
  /** Keeps the conversations. Default: in memory, until the process ends. */
  store?: ConversationStore
  /**
   * How often what has arrived of a reply is written to the store, in milliseconds: a crash loses no more than that. Default
   * 250.
   */
  journalMs?: number
  /**
   * Places cache breakpoints, and chooses how long they live by the pauses between messages so far, of the conversation and of
   * the others. A conversation with breakpoints of its own is left alone. Default true.
   */
  cacheMarks?: boolean
  /** `keepAlive` reads cache entries again while users pause, where that pays. Default false. */
  cache?: { keepAlive?: boolean }
  /**
   * Keeps the parameters of each request and the times of its events, for `exchange()`: up to 2 KB a reply, and prompt and
   * tools of up to 4,000 characters. Default false.
   */
  traces?: boolean
  /**
   * How often a reply whose stream breaks off is resumed, if `client` is this library's. The reader sees one reply, and its
   * usage is that of all attempts. Default 2; with 0 the turn fails and keeps what has arrived.
   */
  recover?: number
  /**
   * Limits for all conversations of the store together, by day and by user. Default: no limit, and nothing is counted.
   */
  limits?: Limits
}

const rules: Record<keyof ConversationsOptions, Rule> = {
  client: anything,
  engine: { must: 'a function', holds: (value) => value === null || typeof value === 'function' },
  store: anything,
  journalMs: milliseconds,
  cacheMarks: flag,
  cache: anything,
  traces: flag,
  recover: count,
  limits: anything,
}

/** Throws an `AnthropicError` if an option is misspelt or not valid. */
export function checkOptions(options: ConversationsOptions): void {
  checkRules(options, rules, 'openConversations()')
  const { limits, store, cache } = options
  if (cache !== undefined) checkOptionNames(cache, ['keepAlive'], 'cache')
  if (limits !== undefined) checkLimits(limits)
  if (store !== undefined && typeof store?.begin !== 'function') {
    throw new AnthropicError(
      `Cannot open conversations as store must be a store, such as sqliteStore(path): found ${describeValue(store)}`,
    )
  }
}

/** The engine and the other values that all turns share. */
export function configOf(options: ConversationsOptions): TurnConfig {
  const { journalMs = 250, cacheMarks = true, traces = false, limits, cache } = options
  const keepAlive = cache?.keepAlive ? new KeepAlive() : undefined
  const shared = { pauses: new PauseExperience(), turns: new RunningTurns(), keepAlive }
  return { engine: engineOf(options), journalMs, cacheMarks, traces, limits, ...shared }
}

function engineOf({ client, engine, recover = 2 }: ConversationsOptions): Engine {
  if ((client == null) === (engine == null)) {
    throw new AnthropicError(
      `Cannot open conversations as there must be a client or an engine: found ${client == null ? 'neither' : 'both'}`,
    )
  }
  return engine ?? upstream(client!, { recover: recover === 0 ? undefined : { attempts: recover } })
}
