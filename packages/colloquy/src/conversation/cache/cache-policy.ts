import type { CacheControlEphemeral } from '../../protocol/types/tool.ts'

export type CacheTtl = NonNullable<CacheControlEphemeral['ttl']>

/** How many pauses between a reply and the next message had each length. The bounds are the two lifetimes of the cache. */
export interface PauseCounts {
  /** At most 5 minutes: every entry is still alive. */
  short: number
  /** 5 to 60 minutes: entries written for an hour are still alive. */
  medium: number
  /** More than an hour: no entry is alive. */
  long: number
}

/** The facts from which the lifetime of the next cache write is chosen. */
export interface CacheOutlook {
  /** The pauses of this conversation so far. */
  pauses: PauseCounts
  /** Pauses elsewhere, of the same user or of all users. They weigh as much as `priorWeight` pauses of this conversation. */
  prior?: PauseCounts
  /** How the newest cache entry after the shared part (system and tools) was written, if one is still alive. */
  warm: CacheTtl | 'nothing'
  /** The price of a cache read divided by the price of uncached input. */
  readFactor: number
}

const fiveMinutesMs = 5 * 60_000
const hourMs = 60 * 60_000

/** Default pauses: about one in eighteen lasts 5 to 60 minutes. */
const unknown: PauseCounts = { short: 93, medium: 5.5, long: 1.5 }
const priorWeight = 8

export function countPause(counts: PauseCounts, pauseMs: number): PauseCounts {
  if (pauseMs <= fiveMinutesMs) return { ...counts, short: counts.short + 1 }
  return pauseMs <= hourMs ? { ...counts, medium: counts.medium + 1 } : { ...counts, long: counts.long + 1 }
}

/**
 * Chooses how long the next cache write should live.
 *
 * Writing a token for an hour costs 0.75 of its price more than for 5 minutes, once. Each pause of 5 to 60 minutes costs
 * 1.25 less the read price for a token that was written for 5 minutes, and nothing for one that was written for an hour. So
 * an hour pays if more than 0.75 / (1.25 − read) such pauses are expected in the rest of the conversation.
 *
 * After a prefix that was written for 5 minutes and is still alive, an hour would gain nothing: an entry is found only
 * through the prefix before it.
 */
export function chooseTtl({ pauses, prior = unknown, warm, readFactor }: CacheOutlook): CacheTtl {
  if (warm === '5m') return '5m'
  const scale = priorWeight / total(prior)
  const expected = (pauses.medium + prior.medium * scale) / (total(pauses) + priorWeight)
  return expected * turnsLeft(total(pauses) + 1) > 0.75 / (1.25 - readFactor) ? '1h' : '5m'
}

/**
 * How many turns are still to come after a number of turns. The longer a conversation has been, the longer it will be: the
 * formula is fitted to a log-normal distribution with a median of 8 turns and a mean of 15.
 */
function turnsLeft(turns: number): number {
  return 12 + 0.6 * turns
}

function total({ short, medium, long }: PauseCounts): number {
  return short + medium + long
}
