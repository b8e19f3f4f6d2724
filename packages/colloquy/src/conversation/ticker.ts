/** Functions that are called at the same moments. */
interface Ticker {
  ticks: Set<() => void>
  timer: ReturnType<typeof setInterval>
}

/** The most functions of one ticker: the event loop is blocked until all have run. */
const most = 50

/** The newest ticker, by its interval in milliseconds. */
const tickers = new Map<number, Ticker>()

/**
 * Calls a function every `ms` milliseconds. The first call may come sooner: functions with the same interval are called
 * together, so that what they write to a store shares a commit. Does not keep the process running.
 *
 * @returns the function that ends the calls.
 */
export function every(ms: number, tick: () => void): () => void {
  const newest = tickers.get(ms)
  const ticker = newest === undefined || newest.ticks.size >= most ? start(ms) : newest
  ticker.ticks.add(tick)
  return () => {
    ticker.ticks.delete(tick)
    if (ticker.ticks.size > 0) return
    clearInterval(ticker.timer)
    if (tickers.get(ms) === ticker) tickers.delete(ms)
  }
}

function start(ms: number): Ticker {
  const ticks = new Set<() => void>()
  const timer = setInterval(() => {
    for (const tick of ticks) tick()
  }, ms)
  // In browsers timers are numbers and never keep anything running.
  if (typeof timer === 'object') timer.unref()
  const ticker = { ticks, timer }
  tickers.set(ms, ticker)
  return ticker
}
