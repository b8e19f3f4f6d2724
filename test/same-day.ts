import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for the next day of UTC if this one ends within a minute, for tests that count what is spent in a day. */
export async function waitForMidnight(): Promise<void> {
  const dayMs = 86_400_000
  const leftMs = dayMs - (Date.now() % dayMs)
  if (leftMs < 60_000) await sleep(leftMs)
}
