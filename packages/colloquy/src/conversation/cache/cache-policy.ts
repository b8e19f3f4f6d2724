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
  /** Pauses of other conversations. They weigh as much as `priorWeight` pauses of this one. */
  prior: PauseCounts
  /** How the newest cache entry after the shared part (system and tools) was written, if one is still alive. */
  warm: CacheTtl | 'nothing'
  /** The price of a cache read divided by the price of uncached input. */
  readFactor: number
  /** The expected cost of a pause of 5 to 60 minutes for a token written for 5 minutes. Default: it is written again. */
  pauseCost?: number | undefined
}

/** How long an entry lives after it was written or read. */
export const lifetimeMs: Readonly<Record<CacheTtl, number>> = { '5m': 5 * 60_000, '1h': 60 * 60_000 }

/** The price of a cache write divided by the price of uncached input. */
const writeFactor = { '5m': 1.25, '1h': 2 }

/** The cost of a token that has to be written for 5 minutes once more instead of being read. */
export function costOfLoss(readFactor: number): number {
  return writeFactor['5m'] - readFactor
}

/** Default pauses: about one in eighteen lasts 5 to 60 minutes, and one in forty where tools do the work. */
const defaultPauses: Readonly<Record<RequestKind, PauseCounts>> = {
  chat: { short: 93, medium: 5.5, long: 1.5 },
  tools: { short: 96.5, medium: 2.5, long: 1 },
}
const priorWeight = 8

/** Pauses before requests with tools are shorter than those of a chat. */
export type RequestKind = 'chat' | 'tools'

/** The number of pauses from which on the older ones count less, so that a change of habits is noticed. */
const mostPauses = 4_000

/** How many of the first pauses of a conversation the others learn from: long ones would count more than most users do. */
export const learnedPauses = 4

/** The pauses in all conversations of a program so far: what a new conversation expects. */
export class PauseExperience {
  readonly #seen = { ...defaultPauses }

  prior(kind: RequestKind): PauseCounts {
    return this.#seen[kind]
  }

  add(kind: RequestKind, pauseMs: number): void {
    const counts = countPause(this.#seen[kind], pauseMs)
    this.#seen[kind] = total(counts) > mostPauses ? halved(counts) : counts
  }
}

function halved({ short, medium, long }: PauseCounts): PauseCounts {
  return { short: short / 2, medium: medium / 2, long: long / 2 }
}

export function countPause(counts: PauseCounts, pauseMs: number): PauseCounts {
  if (pauseMs <= lifetimeMs['5m']) return { ...counts, short: counts.short + 1 }
  return pauseMs <= lifetimeMs['1h'] ? { ...counts, medium: counts.medium + 1 } : { ...counts, long: counts.long + 1 }
}

/**
 * Chooses how long the next cache write should live.
 *
 * A write for an hour costs 0.75 of the price of a token more than one for 5 minutes, once. Each pause of 5 to 60 minutes
 * costs 1.25 minus the read price if the token was written for 5 minutes, and nothing if it was written for an hour. So an
 * hour pays if more than 0.75 / (1.25 − read) such pauses are expected in the rest of the conversation.
 *
 * If the prefix before was written for 5 minutes and is still alive, writing for an hour gains nothing, because an entry is
 * only found through the prefix before it.
 */
export function chooseTtl(outlook: CacheOutlook): CacheTtl {
  const { pauses, warm, readFactor, pauseCost = costOfLoss(readFactor) } = outlook
  if (warm === '5m') return '5m'
  const { medium } = pauseChances(outlook)
  const surcharge = writeFactor['1h'] - writeFactor['5m']
  return medium * turnsLeft(total(pauses) + 1) * pauseCost > surcharge ? '1h' : '5m'
}

/** The chances that the next pause lasts 5 to 60 minutes, and that it lasts longer or for ever. */
export function pauseChances({ pauses, prior }: Pick<CacheOutlook, 'pauses' | 'prior'>): {
  medium: number
  away: number
} {
  const scale = priorWeight / total(prior)
  const count = total(pauses) + priorWeight
  const medium = (pauses.medium + prior.medium * scale) / count
  const long = (pauses.long + prior.long * scale) / count
  return { medium, away: long + 1 / (2 * turnsLeft(total(pauses) + 1)) }
}

/**
 * The number of further turns to expect after a number of turns. Long conversations tend to become longer still: if lengths
 * are log-normal with a median of 8 turns and a mean of 15, the expected rest is 12 + 0.6 × turns. The result is half of
 * that, because a few users cause most pauses, and their own pauses soon count instead.
 */
function turnsLeft(turns: number): number {
  return 6 + 0.3 * turns
}

export function total({ short, medium, long }: PauseCounts): number {
  return short + medium + long
}
