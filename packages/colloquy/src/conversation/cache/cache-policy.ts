import type { CacheControlEphemeral } from '../../protocol/types/tool.ts'

export type CacheTtl = NonNullable<CacheControlEphemeral['ttl']>

/** How many pauses between a reply and the next message were so long. The bounds are those of the cache's two lifetimes. */
export interface PauseCounts {
  /** At most 5 minutes: every entry lives on. */
  short: number
  /** 5 to 60 minutes: what was written for an hour lives on, the rest is gone. */
  medium: number
  /** More than an hour: all is gone. */
  long: number
}

/** What is known when the lifetime of the next cache write is chosen. */
export interface CacheOutlook {
  /** Pauses of this conversation so far. */
  pauses: PauseCounts
  /** Pauses elsewhere, of the same user or of everybody; weighs as much as `priorWeight` pauses of this conversation. */
  prior?: PauseCounts
  /** What is still cached after the part that is shared (system and tools), and how its newest part was written. */
  warm: CacheTtl | 'nothing'
  /** The price of a cache read divided by that of uncached input. */
  readFactor: number
}

const fiveMinutesMs = 5 * 60_000
const hourMs = 60 * 60_000

/** About one pause in eighteen is of 5 to 60 minutes where nothing else is known. */
const unknown: PauseCounts = { short: 93, medium: 5.5, long: 1.5 }
const priorWeight = 8

export function countPause(counts: PauseCounts, pauseMs: number): PauseCounts {
  if (pauseMs <= fiveMinutesMs) return { ...counts, short: counts.short + 1 }
  return pauseMs <= hourMs ? { ...counts, medium: counts.medium + 1 } : { ...counts, long: counts.long + 1 }
}

/**
 * How long the next cache write should live.
 *
 * Writing a token for an hour costs 0.75 of its price more than for 5 minutes, once. Each pause of 5 to 60 minutes costs
 * 1.25 less the read price for a token that was written for 5 minutes and nothing for one that was written for an hour.
 * So an hour pays once more than 0.75 / (1.25 − read) such pauses are expected in what is left of the conversation.
 *
 * Behind a part that was written for 5 minutes and is still warm an hour would buy nothing: an entry is found only through
 * the prefix before it.
 */
export function chooseTtl({ pauses, prior = unknown, warm, readFactor }: CacheOutlook): CacheTtl {
  if (warm === '5m') return '5m'
  const scale = priorWeight / total(prior)
  const expected = (pauses.medium + prior.medium * scale) / (total(pauses) + priorWeight)
  return expected * turnsLeft(total(pauses) + 1) > 0.75 / (1.25 - readFactor) ? '1h' : '5m'
}

/**
 * How many turns are still to come after so many. Lengths of conversations are spread like incomes: the longer one has
 * been, the longer it will yet be. Fitted to a log-normal with a median of 8 and a mean of 15 turns.
 */
function turnsLeft(turns: number): number {
  return 12 + 0.6 * turns
}

function total({ short, medium, long }: PauseCounts): number {
  return short + medium + long
}
