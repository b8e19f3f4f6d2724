import { type Signal, signal } from '@preact/signals'
import { dayAlarmUsd, zoneOf } from '../settings/preferences.ts'
import { moneyText } from '../format.ts'
import { notify } from '../shell/status.tsx'
import { stored } from '../shell/storage.ts'
import { addDays, dayOf, startOf } from './periods.ts'
import { loadLatestUsage } from './usage-data.ts'

/** The cost of today's requests so far, in US dollars; undefined until it is known. */
export const todayUsd: Signal<string | undefined> = signal(undefined)

/** The day of the last alarm: there is one a day. */
const alarmedOn: Signal<string> = stored('alarmedOn', '')

let refreshes = 0

/** Reads what today has cost, and warns if that is more than the reader wants. */
export async function refreshToday(): Promise<void> {
  const refresh = ++refreshes
  const zone = zoneOf()
  const today = dayOf(new Date(), zone)
  const [since, until] = [today, addDays(today, 1)].map((day) => startOf(day, zone).toISOString())
  try {
    const { total } = await loadLatestUsage({ since: since!, until: until!, tz: zone }, 'source')
    // The answer to a later request may have come first.
    if (refresh !== refreshes) return
    todayUsd.value = total.usd
  } catch {
    // A server without a ledger has no costs to show.
    return
  }
  if (!isAlarming() || alarmedOn.value === today) return
  alarmedOn.value = today
  notify(`Today's requests cost ${moneyText(todayUsd.value)}, more than your alarm of ${moneyText(dayAlarmUsd.value)}`)
}

/** Whether today has cost more than the reader wants. */
export function isAlarming(): boolean {
  return dayAlarmUsd.value > 0 && Number(todayUsd.value ?? 0) > dayAlarmUsd.value
}
