import { hourMs } from '../totals.ts'

/** A part of a period in which a time zone has one offset. */
export interface OffsetPart {
  since: number
  until: number
  /** The milliseconds by which local time is ahead of UTC. */
  offsetMs: number
}

/** No zone changes its offset twice in this time. */
const stepHours = 14 * 24

/** Cuts a period at the hours when the offset of a time zone changes. */
export function offsetParts(tz: string, { since, until }: { since: number; until: number }): OffsetPart[] {
  if (tz === 'UTC') return [{ since, until, offsetMs: 0 }]
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: tz,
    dateStyle: 'short',
    timeStyle: 'medium',
  })
  // `2026-11-27 09:41:00`: a date and a time as ISO 8601 has them.
  const offsetAt = (time: number): number => Date.parse(`${format.format(time).replace(' ', 'T')}Z`) - time
  const parts: OffsetPart[] = []
  let start = since
  let offsetMs = offsetAt(since)
  for (let at = since; at < until;) {
    const next = Math.min(at + stepHours * hourMs, until)
    if (offsetAt(next) !== offsetMs) {
      at = firstHour(at, next, (time) => offsetAt(time) !== offsetMs)
      parts.push({ since: start, until: at, offsetMs })
      start = at
      offsetMs = offsetAt(at)
    } else at = next
  }
  return start < until ? [...parts, { since: start, until, offsetMs }] : parts
}

/** The first whole hour after `from`, and at the latest `to`, from which a condition holds. */
function firstHour(from: number, to: number, holds: (time: number) => boolean): number {
  let [low, high] = [0, Math.ceil((to - from) / hourMs)]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (holds(from + middle * hourMs)) high = middle
    else low = middle
  }
  return Math.min(from + high * hourMs, to)
}
