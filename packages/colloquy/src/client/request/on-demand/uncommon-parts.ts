// The parts that few requests need: a query, headers of the environment, a function for the key, lone surrogates, debug
// lines, bodies of errors, warnings.
// One module, because a page loads one file for all of them.
import { describeValue } from '../../../protocol/json/option-names.ts'
import { wellFormedJson } from '../../../protocol/codec/well-formed-json.ts'
import { AnthropicError } from '../../../protocol/types/error.ts'
import type { TransportResponse, WireRequest } from '../../transport/transport.ts'
import type { Logger } from '../log.ts'
import type { FinalRequestOptions, Retry } from '../options.ts'

export * from './api-key-setter.ts'
export * from './model-warnings.ts'
export * from './rare-bodies.ts'

/** Adds queries to a URL. A later query replaces values of an earlier one, and `undefined` removes them. */
export function withQuery(href: string, ...queries: (object | null | undefined)[]): string {
  const url = new URL(href)
  const wrong = queries.find((query) => typeof (query ?? {}) !== 'object')
  if (wrong !== undefined)
    throw new AnthropicError(`Cannot use a query as it must be an object: found ${describeValue(wrong)}`)
  const merged = new Map(queries.flatMap((query) => Object.entries(query ?? {})))
  for (const [name, value] of merged) {
    url.searchParams.delete(name)
    appendQuery(url.searchParams, name, value)
  }
  // A space is written as the official clients do; a plus sign is `%2B` already.
  url.search = url.search.replaceAll('+', '%20')
  return url.href
}

/** No server reads a longer one. */
const maxNameLength = 2_000

/** Appends a value in the API's form: a list as `name[]=…`, an object as `name[key]=…`. */
function appendQuery(query: URLSearchParams, name: string, given: unknown): void {
  if (name.length > maxNameLength) {
    throw new AnthropicError(`Cannot use the query ${name.slice(0, 40)}… as it is nested too deep`)
  }
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

/** The headers of `ANTHROPIC_CUSTOM_HEADERS`, one on each line. */
export function parseCustomHeaders(text: string): Record<string, string> {
  const pairs = text.split('\n').map((line) => line.split(/:(.*)/s, 2).map((part) => part.trim()))
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair.length === 2 && pair[0] !== ''))
}

const secretName = /(authorization|cookie|key|secret|token)$/i

/** Logs a request, with the secret values of its URL and headers masked. */
export function logRequest(debug: Logger['debug'], line: string, headers: Record<string, string>): void {
  const maskedLine = line.replace(
    /([?&])([^=&]*)=([^&]*)/g,
    (_, before, name, value) => `${before}${name}=${maskValue(name, value)}`,
  )
  debug(maskedLine, Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, maskValue(name, value)])))
}

function maskValue(name: string, value: string): string {
  return secretName.test(name) ? '***' : value
}

/** Logs a response, without the query of its request. `startedAt` is in `performance.now()` time. */
export function logAttempt(
  info: Logger['info'],
  { method, url }: WireRequest,
  response: TransportResponse,
  startedAt: number,
): void {
  const ms = Math.round(performance.now() - startedAt)
  info(`${method} ${url.split('?')[0]} ${response.status} in ${ms} ms`, response.header('request-id'))
}

/** Logs a retry that is about to be made. */
export function logRetry(info: Logger['info'], { retry, maxRetries, delayMs, error }: Retry): void {
  info(`retry ${retry} of ${maxRetries} in ${Math.round(delayMs)} ms: ${error.message}`)
}

/** The JSON of a body without lone surrogates. Throws if the request refuses them. */
export function wellFormedBody(json: string, { body, loneSurrogates }: FinalRequestOptions): string {
  const mended = wellFormedJson(json)
  if (mended === json || loneSurrogates !== 'refuse') return mended
  throw new AnthropicError(`Cannot send ${placeOfSurrogate(body, []) ?? 'the body'}: it has half of a surrogate pair`)
}

function placeOfSurrogate(value: unknown, path: string[]): string | undefined {
  if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) return path.join('.') || 'the body'
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, item] of Object.entries(value)) {
    const place = /\p{Surrogate}/u.test(key) ? [...path, 'a key'].join('.') : placeOfSurrogate(item, [...path, key])
    if (place) return place
  }
  return undefined
}
