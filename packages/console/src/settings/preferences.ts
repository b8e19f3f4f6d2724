import type { Signal } from '@preact/signals'
import { stored } from '../shell/storage.ts'

/** Whether Enter sends. Otherwise Ctrl-Enter does, and Enter begins a new line. */
export const enterSends: Signal<boolean> = stored('enterSends', true)

/** The composer warns of a request that may cost more, in US dollars. 0: it does not. */
export const warnCostUsd: Signal<number> = stored('warnCostUsd', 0.5)

/** The page warns when the requests of a day cost more, in US dollars. 0: it does not. */
export const dayAlarmUsd: Signal<number> = stored('dayAlarmUsd', 0)

/** The times of the charts: the zone of the browser, or UTC. */
export const timeZone: Signal<'local' | 'UTC'> = stored<'local' | 'UTC'>('timeZone', 'local')

/** The name of the zone that the charts use. */
export function zoneOf(): string {
  return timeZone.value === 'UTC' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone
}

/** How replies are announced to screen readers. */
export const readReplies: Signal<'finished' | 'sentence' | 'never'> = stored<'finished' | 'sentence' | 'never'>(
  'readReplies',
  'finished',
)
