import { type CacheOutlook, costOfLoss, lifetimeMs, pauseChances } from './cache-policy.ts'

/** How long after a request its cache entry is read again: half a minute before it would end. */
export const pingAfterMs: number = lifetimeMs['5m'] - 30_000

/** The most pings in one pause: about as long as an entry for an hour lives. */
const mostPings = 12

/**
 * The highest ratio of the price of a read to that of uncached input at which entries are kept alive. At 0.05, an entry
 * for an hour is cheaper for most users: see `npm run bench -- cache`.
 */
const highestReadFactor = 0.03

/** A plan to read an entry that was written for 5 minutes again and again while the user pauses. */
export interface KeepAlivePlan {
  /** The most pings in the pause. Further ones would probably cost more than they save. */
  pings: number
  /** The expected cost of a pause of 5 to 60 minutes for a cached token, as a part of the price of uncached input. */
  pauseCost: number
}

/** The facts from which the pings are planned. */
export interface KeepAliveOutlook extends Pick<CacheOutlook, 'pauses' | 'prior' | 'readFactor'> {
  /**
   * The share of the prompt that comes after the system prompt and tools. A ping reads the whole prompt, but only this
   * share would be lost: the part before it has an entry for an hour.
   */
  tailShare: number
}

/**
 * Plans the number of pings in a pause that has the lowest expected cost. Each ping that is sent before the user returns
 * costs a read of the whole prompt. A pause that is longer than the pings cover costs a write of the whole prompt minus a
 * read.
 */
export function planKeepAlive(outlook: KeepAliveOutlook): KeepAlivePlan {
  const { readFactor, tailShare } = outlook
  const { medium, away } = pauseChances(outlook)
  const costOf = (pings: number, pinged: number): number => {
    return (pinged * readFactor) / tailShare + medium * (1 - returnedBy(pings)) * costOfLoss(readFactor)
  }
  let best = { pings: 0, cost: costOf(0, 0) }
  // How many pings are expected: each is sent if the user has not returned by then.
  let pinged = 0
  for (let pings = 1; pings <= mostPings && readFactor <= highestReadFactor; pings++) {
    pinged += medium * (1 - returnedBy(pings - 1)) + away
    const cost = costOf(pings, pinged)
    if (cost < best.cost) best = { pings, cost }
  }
  return { pings: best.pings, pauseCost: best.cost / medium }
}

/**
 * The share of the pauses of 5 to 60 minutes that end while this number of pings keeps the entry alive. All lengths are taken
 * to be equally likely.
 */
function returnedBy(pings: number): number {
  return pings === 0 ? 0 : Math.min(1, (pings * pingAfterMs) / (lifetimeMs['1h'] - lifetimeMs['5m']))
}
