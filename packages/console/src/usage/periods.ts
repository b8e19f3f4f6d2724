/** A period of whole days. `until` is the first day after it. */
export interface Period {
  since: string
  until: string
}

/** The choices of the filter, in its order. */
export const periods: Record<string, { label: string; days: number }> = {
  '1d': { label: 'Today', days: 1 },
  '7d': { label: 'Last 7 days', days: 7 },
  '30d': { label: 'Last 30 days', days: 30 },
  '90d': { label: 'Last 90 days', days: 90 },
}

/** The days that end today. */
export function periodOf(name: string, now: Date, timeZone: string): Period {
  const { days } = periods[name] ?? { days: 7 }
  const today = dayOf(now, timeZone)
  return { since: addDays(today, 1 - days), until: addDays(today, 1) }
}

/** The day of a time in a zone, as `2026-11-21`. */
export function dayOf(at: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at)
}

export function addDays(day: string, count: number): string {
  const date = new Date(`${day}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() + count)
  return date.toISOString().slice(0, 10)
}

/** All days of a period, so that days without a request have a place in a chart. */
export function daysOf({ since, until }: Period): string[] {
  const days: string[] = []
  for (let day = since; day < until && days.length < 400; day = addDays(day, 1)) days.push(day)
  return days
}

/** The first moment of a day in a zone. A day that has no midnight begins at its first hour. */
export function startOf(day: string, timeZone: string): Date {
  const guess = Date.parse(`${day}T00:00:00Z`)
  const quarter = 900_000
  // No zone is more than 14 hours from UTC, and every offset is a multiple of a quarter of an hour.
  for (let at = guess - 56 * quarter; at <= guess + 56 * quarter; at += quarter) {
    if (dayOf(new Date(at), timeZone) === day) return new Date(at)
  }
  return new Date(guess)
}

/** The day of the week and of the month; with the month where it begins. */
export function dayLabel(day: string): string {
  const date = new Date(`${day}T00:00:00Z`)
  const format: Intl.DateTimeFormatOptions = day.endsWith('-01')
    ? { day: 'numeric', month: 'short' }
    : { weekday: 'short', day: 'numeric' }
  return date.toLocaleDateString('en-GB', { ...format, timeZone: 'UTC' })
}
