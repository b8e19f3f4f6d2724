import { bandFor, priceAt } from '../../protocol/models/cost.ts'
import type { Usage } from '../../protocol/types/message.ts'
import type { ModelEntry } from '../../protocol/models/model-entry.ts'
import type { RequestSettings } from '../../protocol/models/longest-calls.ts'
import { findModel } from '../../protocol/models/models.ts'
import type { MessageCreateParams, MessageParam } from '../../protocol/types/params.ts'
import { callsIn, lastCallIn, tokenCounts } from '../../protocol/models/token-counts.ts'
import { breakpointPlaces, hasOwnBreakpoints, withBreakpoint, withSharedBreakpoint } from './breakpoints.ts'
import {
  type CacheOutlook,
  type CacheTtl,
  type PauseExperience,
  chooseTtl,
  countPause,
  learnedPauses,
  lifetimeMs,
  total,
} from './cache-policy.ts'
import { type KeepAlivePlan, planKeepAlive } from './keep-alive.ts'
import type { History } from '../history/history.ts'
import { PathPauses } from './path-pauses.ts'

/** The plan for the prompt cache, and how it turned out. */
export interface CacheReport {
  /** How long the request's cache entry lives. */
  ttl: CacheTtl
  /**
   * The least number of tokens that should have been read: what the previous request left in the cache. 0 if that is
   * unknown.
   */
  expectedReadTokens: number
  readTokens: number
  writtenTokens: number
  /** Fewer tokens were read than expected: something before the breakpoint had changed, or the entry was evicted early. */
  missed: boolean
}

/** A request with cache breakpoints, and the function that judges its usage. */
export interface CachedRequest {
  params: MessageCreateParams
  report(usage: Usage): CacheReport
  /** How often to read the entry again while the user pauses; absent if that is not wanted. @param usage that of the reply. */
  pings?: (usage: Usage) => number
}

/** The values that depend on the settings alone. They are kept, because most requests of a conversation have the same settings. */
interface SettingsPlan {
  settings: RequestSettings
  /** The settings as JSON: any change of them may miss the cache. */
  key: string
  /** The settings with their breakpoint; undefined if the user has placed some. */
  marked: RequestSettings | undefined
  /** The price of a cache read divided by the price of uncached input. */
  readFactor: number
}

interface Sent {
  at: number
  ttl: CacheTtl
  /** The `key` of the settings. */
  settings: string
  cachedTokens: number
}

/**
 * Places the cache breakpoints in the requests of one conversation. Chooses how long the entries live from the pauses so
 * far, in this conversation and in others.
 */
export class CachePlanner {
  #pauses = new PathPauses()
  #lastSent: Sent | undefined
  #pingedAt = 0
  #settingsPlan: SettingsPlan | undefined

  /**
   * Plans the breakpoints of a request. Undefined if none are placed: the model is unknown, or the user has placed some.
   *
   * @param history the messages that are sent.
   * @param experience the pauses in all conversations; the report adds the one before this request.
   */
  plan(
    settings: RequestSettings,
    history: History,
    { now, experience, keepAlive = false }: { now: number; experience: PauseExperience; keepAlive?: boolean },
  ): CachedRequest | undefined {
    const model = findModel(settings.model)
    if (model === undefined || history.hasOwnBreakpoints) return undefined
    const { key, marked, readFactor } = this.#planFor(settings, model)
    if (marked === undefined) return undefined
    this.#learn(history)
    const kind = settings.tools?.length ? 'tools' : 'chat'
    const { counts } = this.#pauses
    const pauseMs = this.#pauses.before(history, now)
    const outlook: CacheOutlook = {
      pauses: pauseMs === undefined ? counts : countPause(counts, pauseMs),
      prior: experience.prior(kind),
      warm: this.#warm(history, now),
      readFactor,
      pauseCost: undefined,
    }
    const pingPlan = (usage: Usage | undefined): KeepAlivePlan => {
      return planKeepAlive({ ...outlook, tailShare: tailShare(key, usage) })
    }
    if (keepAlive) outlook.pauseCost = pingPlan(history.lastReply?.about.message?.usage).pauseCost
    const ttl = chooseTtl(outlook)
    const expectedReadTokens = this.#expected(key, now)
    const planned: CachedRequest = {
      params: { ...marked, messages: withBreakpoints(history, ttl) },
      report: (usage) => {
        if (pauseMs !== undefined && total(this.#pauses.counts) < learnedPauses) experience.add(kind, pauseMs)
        this.#lastSent = { at: now, ttl, settings: key, cachedTokens: cachedTokensOf(usage) }
        return reportOf(usage, { ttl, expectedReadTokens })
      },
    }
    if (keepAlive) {
      planned.pings = (usage) => {
        const { pings, pauseCost } = pingPlan(usage)
        // An entry that lives for an hour needs none, and one that should live for an hour has to end first.
        return ttl === '5m' && chooseTtl({ ...outlook, pauseCost, warm: 'nothing' }) === '5m' ? pings : 0
      }
    }
    return planned
  }

  /** The entry of the last request was read again. */
  pinged(now: number): void {
    this.#pingedAt = now
    if (this.#lastSent !== undefined) this.#lastSent = { ...this.#lastSent, at: now }
  }

  #planFor(settings: RequestSettings, model: ModelEntry): SettingsPlan {
    if (this.#settingsPlan?.settings !== settings) {
      const marked = hasOwnBreakpoints(settings) ? undefined : withSharedBreakpoint(settings, model.minCacheTokens)
      this.#settingsPlan = { settings, key: JSON.stringify(settings), marked, readFactor: readFactorOf(model) }
    }
    return this.#settingsPlan
  }

  /** Counts the pauses of the path. Starts again if it continued from an earlier message, or on another branch. */
  #learn({ records }: History): void {
    if (!this.#pauses.isContinuedBy(records)) {
      this.#pauses = new PathPauses()
      this.#lastSent = undefined
      this.#pingedAt = 0
    }
    this.#pauses.count(records)
  }

  /**
   * Whether the last reply's request left an entry for 5 minutes that is still alive. Entries for an hour do not influence
   * the choice.
   */
  #warm({ lastReply }: History, now: number): CacheTtl | 'nothing' {
    if (lastReply === undefined) return 'nothing'
    if (now - Math.max(lastReply.record.createdAt, this.#pingedAt) > lifetimeMs['5m']) return 'nothing'
    return lastReply.about.message?.usage.cache_creation?.ephemeral_5m_input_tokens ? '5m' : 'nothing'
  }

  #expected(settings: string, now: number): number {
    const sent = this.#lastSent
    if (sent === undefined || sent.settings !== settings || now - sent.at > lifetimeMs[sent.ttl]) return 0
    return sent.cachedTokens
  }
}

/** The messages of a history, with their breakpoints. */
function withBreakpoints(history: History, tail: CacheTtl): MessageParam[] {
  return history.sentWith(breakpointPlaces(history.toSend), (message) => withBreakpoint(message, tail))
}

/** The tokens that a request left in the cache. */
function cachedTokensOf(usage: Usage): number {
  const { cacheRead, cacheWrite5m, cacheWrite1h } = tokenCounts(lastCallIn(usage))
  return cacheRead + cacheWrite5m + cacheWrite1h
}

function reportOf(usage: Usage, plan: Pick<CacheReport, 'ttl' | 'expectedReadTokens'>): CacheReport {
  let readTokens = 0
  let writtenTokens = 0
  for (const call of callsIn(usage)) {
    readTokens += call.cache_read_input_tokens ?? 0
    writtenTokens += call.cache_creation_input_tokens ?? 0
  }
  return { ...plan, readTokens, writtenTokens, missed: readTokens < plan.expectedReadTokens }
}

/** The share of a prompt after system and tools, of which four characters make about a token. */
function tailShare(settings: string, usage: Usage | undefined): number {
  if (usage === undefined) return 0.5
  const { input, cacheWrite5m, cacheWrite1h, cacheRead } = tokenCounts(usage)
  const shared = settings.length / 4
  return Math.max(0.05, 1 - shared / Math.max(1, input + cacheWrite5m + cacheWrite1h + cacheRead))
}

function readFactorOf(model: ModelEntry): number {
  const price = priceAt(model, new Date())
  if (price === undefined) return 0.1
  const { cacheRead, input } = bandFor(price, 0)
  return Number(cacheRead) / Number(input)
}
