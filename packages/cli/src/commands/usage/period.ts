import { UsageError } from '../../exit.ts'
import type { Flags } from '../../flags.ts'
import { isDay } from '../../format.ts'

/** A period in a time zone. */
export interface Period {
  /** Milliseconds since 1970: the first, and the first after the end. */
  since: number
  until: number
  /** Such as `15–21 Nov 2026`. */
  title: string
  /** The words for the period before, such as `last week`. */
  before: string
}

const dayMs = 86_400_000
const forms = 'today, week, month, all, or a month such as 2026-11'

/** Reads `[today|week|month|all|YYYY-MM]`, `--since` and `--until`. Default: the last seven days. */
export function readPeriod(word: string | undefined, flags: Flags, { now, tz }: { now: number; tz: string }): Period {
  const [since, until] = [flags.text('since'), flags.text('until')]
  if (since !== undefined || until !== undefined) {
    if (word !== undefined) throw new UsageError(`Cannot use both ${word} and --since or --until`)
    const from = since === undefined ? 0 : readDay('since', since, { now, tz })
    // The day of --until is part of the period.
    const to = until === undefined ? now : readDay('until', until, { now, tz }) + dayMs
    if (from >= to) throw new UsageError(`Cannot use --since ${since}: it must be before --until`)
    return period(from, to, tz, 'before')
  }
  const { year, month, day } = dateIn(now, tz)
  if (word === 'today') return period(midnight(year, month, day, tz), now, tz, 'yesterday')
  if (word === undefined || word === 'week')
    return period(midnight(year, month, day - 6, tz), now, tz, 'the week before')
  if (word === 'month') return period(midnight(year, month, 1, tz), now, tz, 'last month')
  if (word === 'all') return { since: 0, until: now, title: 'all time', before: '' }
  const [, namedYear, namedMonth] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(word) ?? []
  if (namedYear === undefined) throw new UsageError(`Cannot show ${word}: give ${forms}`)
  const [y, m] = [Number(namedYear), Number(namedMonth)]
  return period(midnight(y, m, 1, tz), midnight(y, m + 1, 1, tz), tz, 'the month before')
}

function period(since: number, until: number, tz: string, before: string): Period {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone: tz, day: 'numeric', month: 'short', year: 'numeric' })
  // The thin spaces around the dash look like none in a terminal.
  const title = since === 0 ? 'all time' : format.formatRange(since, until - 1).replaceAll('\u2009', ' ')
  return { since, until, title, before }
}

/** Reads a day such as `2026-11-15`, or a number of days ago such as `7d`. */
function readDay(flag: string, text: string, { now, tz }: { now: number; tz: string }): number {
  const ago = /^(\d{1,4})d$/.exec(text)?.[1]
  if (ago !== undefined) {
    const { year, month, day } = dateIn(now, tz)
    return midnight(year, month, day - Number(ago), tz)
  }
  if (!isDay(text))
    throw new UsageError(`Cannot use --${flag} ${text}: give a day such as 2026-11-15, or days ago such as 7d`)
  const [year, month, day] = text.split('-').map(Number) as [number, number, number]
  return midnight(year, month, day, tz)
}

function dateIn(at: number, tz: string): { year: number; month: number; day: number } {
  const text = new Intl.DateTimeFormat('sv-SE', { timeZone: tz, dateStyle: 'short' }).format(at)
  const [year, month, day] = text.split('-').map(Number) as [number, number, number]
  return { year, month, day }
}

/** The beginning of a day in a zone. */
function midnight(year: number, month: number, day: number, tz: string): number {
  const wanted = Date.UTC(year, month - 1, day)
  // The offset at that time, and once more because it may have changed in between.
  const first = wanted - offsetAt(wanted, tz)
  return wanted - offsetAt(first, tz)
}

/** The milliseconds by which a zone is ahead of UTC. */
function offsetAt(at: number, tz: string): number {
  const name = new Intl.DateTimeFormat('en', { timeZone: tz, timeZoneName: 'longOffset' })
    .formatToParts(at)
    .find(({ type }) => type === 'timeZoneName')!.value
  const [, sign, hours = '0', minutes = '0'] = /GMT([+-])(\d\d):?(\d\d)?/.exec(name) ?? []
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}
