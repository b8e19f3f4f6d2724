import type { Page } from '../state/page-by-id.ts'
import { refuse, within } from './validate/schema.ts'

/** Reads `limit` (1 to 1,000, default 20), `before_id` and `after_id`. Throws the API's 400. */
export function readPageQuery(query: URLSearchParams): Page {
  const limit = readLimit(query.get('limit'))
  const before = query.get('before_id')
  const after = query.get('after_id')
  if (before !== null && after !== null) refuse('before_id', 'only one of `before_id` and `after_id` may be given')
  return { limit, before, after }
}

function readLimit(value: string | null): number {
  if (value === null) return 20
  const limit = Number(value)
  if (!/^[+-]?\d+$/.test(value))
    refuse('limit', 'Input should be a valid integer, unable to parse string as an integer')
  return within(limit, 'limit', { least: 1, most: 1_000 })
}
