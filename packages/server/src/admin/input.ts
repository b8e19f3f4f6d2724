import { apiError } from 'colloquy/protocol'

const maxBytes = 65_536

/** The API's 400. */
export function badRequest(message: string): Error {
  return apiError('invalid_request_error', message)
}

/** Reads a JSON body. An empty one is an empty object. Throws the API's 400 or 413. */
export async function readJson(request: Request): Promise<unknown> {
  const text = await readText(request)
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    throw badRequest('The request body is not valid JSON')
  }
}

async function readText(request: Request): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw apiError('request_too_large', `The request body has more than ${maxBytes} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
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

/** The value of a query parameter that must be a time in RFC 3339 or a day in UTC, in milliseconds since 1970. */
export function timeIn(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const time = /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time))
    throw badRequest(`${name}: ${JSON.stringify(value.slice(0, 100))} is not a time such as 2026-11-26T00:00:00Z`)
  return time
}
