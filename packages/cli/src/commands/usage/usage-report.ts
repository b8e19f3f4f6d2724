import type { Grouping, Repriced, Usage } from '@colloquy/server/access'
import type { Period } from './period.ts'

/** The usage that a report shows. */
export interface UsageReport {
  period: Period
  tz: string
  by: readonly Grouping[]
  usage: Usage
  /** The period before, of the same length. Undefined for all time. */
  before: Usage | undefined
  /** The same usage by model. */
  models: Usage
  /** The rows split by model, if asked for. */
  splits: Usage | undefined
  /** The values of `--key`, `--model` and `--source`. */
  filters: Partial<Record<'key' | 'model' | 'source', string>>
  /** The names of keys by id. */
  keyNames: ReadonlyMap<string, string>
  repriced: Repriced | undefined
  now: number
}
