import type { KeyBudget, KeyLimits, KeySettings } from '@colloquy/server/access'
import { UsageError } from '../../exit.ts'
import type { Flags } from '../../flags.ts'
import { isDay } from '../../format.ts'

/** Reads the models, limits and budgets of a key from the flags. */
export function settingsFrom(flags: Flags): KeySettings {
  const models = flags.texts('models').flatMap((list) => list.split(',').map((model) => model.trim()))
  const limits: KeyLimits = {}
  const limit = (flag: string, name: keyof KeyLimits): void => {
    const value = flags.number(flag)
    if (value === 0) throw new UsageError(`Cannot use --${flag} 0: it must be at least 1`)
    if (value !== undefined) limits[name] = value
  }
  limit('rpm', 'requests_per_minute')
  limit('input-tpm', 'input_tokens_per_minute')
  limit('output-tpm', 'output_tokens_per_minute')
  limit('concurrent', 'concurrent_requests')
  const budgets = flags.texts('budget').map(readBudget)
  return {
    ...(models.length > 0 && { models }),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(budgets.length > 0 && { budgets }),
  }
}

/** Reads `5/day`, `100/month`, `20` or `1/day/user`. */
function readBudget(text: string): KeyBudget {
  const [, usd, per = 'total', each] = /^\$?(\d{1,7}(?:\.\d{1,6})?)(?:\/(day|month|total))?(\/user)?$/.exec(text) ?? []
  if (usd === undefined) {
    throw new UsageError(`Cannot use --budget ${text}: give dollars, as in 5/day, 100/month, 20 or 1/day/user`)
  }
  return { usd, per: per as KeyBudget['per'], ...(each !== undefined && { each: 'user' }) }
}

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** Reads `30d`, `12h`, `45m` or `2w`, in milliseconds. */
export function readDuration(flag: string, text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? []
  if (count === undefined) {
    throw new UsageError(`Cannot use --${flag} ${text}: give a time, as in 30d, 12h, 45m or 2w`)
  }
  return Number(count) * unitMs[unit as keyof typeof unitMs]
}

/** Reads `30d`, or a day such as `2027-01-31`, in milliseconds since 1970. */
export function readExpiry(text: string, now: number): number {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return now + readDuration('expires', text)
  if (!isDay(text)) throw new UsageError(`Cannot use --expires ${text}: there is no such day`)
  return Date.parse(text)
}
