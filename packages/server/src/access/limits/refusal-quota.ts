/** The rows of refused requests that are kept in a minute: of each key, and of all senders without one. */
const mostOfKey = 600
const mostWithoutKey = 60
const minuteMs = 60_000

/** Bounds the rows of refused requests, which cost their sender nothing. */
export class RefusalQuota {
  #minute = Number.NaN
  readonly #counts = new Map<string, number>()

  /** Whether one more row may be kept. @param keyId empty for a sender without a key. */
  take(keyId: string, now: number): boolean {
    const minute = Math.floor(now / minuteMs)
    if (minute !== this.#minute) this.#counts.clear()
    this.#minute = minute
    const count = this.#counts.get(keyId) ?? 0
    if (count >= (keyId === '' ? mostWithoutKey : mostOfKey)) return false
    this.#counts.set(keyId, count + 1)
    return true
  }
}
