import { bandFor, priceAt } from '../../protocol/models/cost.ts'
import type { Usage } from '../../protocol/types/message.ts'
import type { ModelEntry } from '../../protocol/models/model-entry.ts'
import { findModel } from '../../protocol/models/models.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import { callsIn } from '../../protocol/models/token-counts.ts'
import { hasOwnMarks, placeMarks, withMark } from './cache-marks.ts'
import { type CacheTtl, type PauseCounts, chooseTtl, countPause } from './cache-policy.ts'
import type { History } from '../history/history.ts'

/** What was planned for the prompt cache, and what came of it. */
export interface CacheReport {
  /** How long what the request wrote was to live. */
  ttl: CacheTtl
  /** What was to be read, at least: what the request before left in the cache. 0 where nothing could be known of it. */
  expectedReadTokens: number
  readTokens: number
  writtenTokens: number
  /** Less was read than was to be: something before the mark had changed, or the cache let go of it early. */
  missed: boolean
}

/** A request with its marks, and how to judge what it used. */
export interface CachedRequest {
  params: MessageCreateParams
  report(usage: Usage): CacheReport
}

interface Sent {
  at: number
  ttl: CacheTtl
  /** The settings, as JSON: any change of theirs may make the cache miss. */
  settings: string
  cachedTokens: number
}

const lifetimeMs = { '5m': 5 * 60_000, '1h': 60 * 60_000 }

/** Places the cache marks of one conversation's requests, and learns from its pauses how long they should live. */
export class CachePlanner {
  #pauses: PauseCounts = { short: 0, medium: 0, long: 0 }
  /** How many of the first records the pauses were read from. */
  #seen = 0
  /** The number of the last of them. */
  #lastNumber: number | undefined
  /** The message that the path began with, or what stood in its place. */
  #first: string | undefined
  #lastRequestAt: number | undefined
  #lastSent: Sent | undefined

  /**
   * Undefined where no marks are to be placed: the model is unknown, or the user places them by hand.
   *
   * @param params its messages are those of the history's `sent`, and are changed in place.
   */
  plan({ messages, ...settings }: MessageCreateParams, history: History, now: number): CachedRequest | undefined {
    const model = findModel(settings.model)
    if (model === undefined || hasOwnMarks(settings) || history.hasOwnMarks) return undefined
    // A prefill stands behind the history and carries no mark.
    if (messages.length !== history.sentCount) return undefined
    this.#learn(history)
    const ttl = chooseTtl({
      pauses: this.#withPauseTo(now),
      warm: this.#warm(history, now),
      readFactor: readFactor(model),
    })
    const marks = placeMarks(settings, messages, { tail: ttl, minTokens: model.minCacheTokens })
    const marked = [...marks.messages].map(([index, mark]) => [index, withMark(messages[index]!, mark)] as const)
    history.replace(messages, new Map(marked))
    const key = JSON.stringify(settings)
    const expectedReadTokens = this.#expected(key, now)
    return {
      params: { ...marks.settings, messages },
      report: (usage) => {
        const calls = callsIn(usage)
        const readTokens = calls.reduce((sum, { cache_read_input_tokens: read }) => sum + (read ?? 0), 0)
        const writtenTokens = calls.reduce((sum, { cache_creation_input_tokens: written }) => sum + (written ?? 0), 0)
        this.#lastSent = { at: now, ttl, settings: key, cachedTokens: readTokens + writtenTokens }
        return { ttl, expectedReadTokens, readTokens, writtenTokens, missed: readTokens < expectedReadTokens }
      },
    }
  }

  /** Counts the pauses between requests, each of which left a reply. */
  #learn({ records }: History): void {
    const first = records[0]?.json
    if (first !== this.#first || records[this.#seen - 1]?.number !== this.#lastNumber) this.#forget()
    this.#first = first
    for (; this.#seen < records.length; this.#seen++) {
      const { role, createdAt } = records[this.#seen]!
      if (role !== 'assistant') continue
      // The steps of one turn follow at once: they say nothing of how long its user pauses.
      const isStep = records[this.#seen - 1]?.json.includes('"type":"tool_result"')
      if (!isStep) this.#pauses = this.#withPauseTo(createdAt)
      this.#lastRequestAt = createdAt
    }
    this.#lastNumber = records.at(-1)?.number
  }

  /** The conversation went on from an earlier message, or on another branch. */
  #forget(): void {
    this.#pauses = { short: 0, medium: 0, long: 0 }
    this.#seen = 0
    this.#lastRequestAt = undefined
    this.#lastSent = undefined
  }

  #withPauseTo(at: number): PauseCounts {
    return this.#lastRequestAt === undefined ? this.#pauses : countPause(this.#pauses, at - this.#lastRequestAt)
  }

  /** Whether the last reply's request left a part for 5 minutes that lives on. What an hour left is no reason to choose. */
  #warm({ lastReply }: History, now: number): CacheTtl | 'nothing' {
    if (lastReply === undefined || now - lastReply.record.createdAt > lifetimeMs['5m']) return 'nothing'
    return lastReply.about.message?.usage.cache_creation?.ephemeral_5m_input_tokens ? '5m' : 'nothing'
  }

  #expected(settings: string, now: number): number {
    const sent = this.#lastSent
    if (sent === undefined || sent.settings !== settings || now - sent.at > lifetimeMs[sent.ttl]) return 0
    return sent.cachedTokens
  }
}

function readFactor(model: ModelEntry): number {
  const price = priceAt(model, new Date())
  if (price === undefined) return 0.1
  const { cacheRead, input } = bandFor(price, 0)
  return Number(cacheRead) / Number(input)
}
