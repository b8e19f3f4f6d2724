import type { Query } from '../request.ts'

/** Adds queries to a URL. A later query replaces values of an earlier one. */
export function withQuery(href: string, ...queries: (Query | null | undefined)[]): string {
  const url = new URL(href)
  const merged = new Map(
    queries.flatMap((query) => Object.entries(query ?? {})).filter(([, value]) => value !== undefined),
  )
  for (const [name, value] of merged) {
    url.searchParams.delete(name)
    appendQuery(url.searchParams, name, value)
  }
  // A space is written as the official clients do; a plus sign is `%2B` already.
  url.search = url.search.replaceAll('+', '%20')
  return url.href
}

/** Appends a value in the API's form: a list as `name[]=…`, an object as `name[key]=…`. */
function appendQuery(query: URLSearchParams, name: string, given: unknown): void {
  // Such as a date.
  const value = (given as { toJSON?: unknown } | null | undefined)?.toJSON ? JSON.parse(JSON.stringify(given)) : given
  if (value === undefined || typeof value === 'function') return
  if (Array.isArray(value)) {
    for (const item of value) appendQuery(query, `${name}[]`, item)
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) appendQuery(query, `${name}[${key}]`, item)
  } else {
    query.append(name, value === null ? '' : String(value))
  }
}
