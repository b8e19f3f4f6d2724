import { apiError } from 'colloquy/protocol'

/** The API's 400. */
export function badRequest(message: string): Error {
  return apiError('invalid_request_error', message)
}

/** Throws the API's 400 for a parameter that a route does not have: a filter that is ignored gives the figures of all. */
export function checkNames(query: Readonly<Record<string, string>>, known: readonly string[]): void {
  const unknown = Object.keys(query).find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw badRequest(`${unknown.slice(0, 100)}: is not a parameter of this route, which has ${known.join(', ')}`)
}

/** The value of a query parameter that must be one of a list. */
export function choice<T extends string>(
  name: string,
  value: string | undefined,
  choices: readonly T[],
): T | undefined {
  if (value === undefined || choices.includes(value as T)) return value as T | undefined
  throw badRequest(`${name}: ${JSON.stringify(value.slice(0, 100))} is not one of ${choices.join(', ')}`)
}

/** The value of a query parameter that must be a number within bounds. */
export function numberIn(name: string, value: string | undefined, [least, most]: [number, number]): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (/^\d+$/.test(value) && number >= least && number <= most) return number
  throw badRequest(`${name}: must be a whole number from ${least} to ${most}`)
}

/** A value that must be a time in RFC 3339 or a day in UTC, in milliseconds since 1970. */
export function timeIn<Absent extends null | undefined>(name: string, value: string | Absent): number | Absent {
  if (value == null) return value
  const time = Date.parse(value)
  const day = Date.parse(value.slice(0, 10))
  // `Date.parse()` reads 30 February as 2 March.
  const isTime = !Number.isNaN(time) && !Number.isNaN(day) && value.startsWith(new Date(day).toISOString().slice(0, 10))
  if (isTime) return time
  throw badRequest(`${name}: ${JSON.stringify(value.slice(0, 100))} is not a time such as 2026-11-26T00:00:00Z`)
}
