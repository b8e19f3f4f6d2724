// Bodies that most requests do not have: errors, inputs of tools, values that are not JSON, or a Response.
import { parseJson } from '../../../protocol/codec/parse-json.ts'
import { AnthropicError, APIError } from '../../../protocol/types/error.ts'
import { describeValue } from '../../../protocol/json/option-names.ts'
import { statusByType } from '../../../protocol/types/error-response.ts'
import type { ListPage } from '../../../protocol/types/resources/page.ts'
import { classOfCode } from '../codes/code-errors.ts'
import type { TransportResponse } from '../../transport/transport.ts'
import type { Cancellable } from '../cancellation.ts'
import { APIResponseError } from '../errors.ts'
import type { RequestOptions } from '../options.ts'

/** The value of a response body, whatever its keys. A body that is not JSON is an `APIResponseError`. */
export function readValue(text: string, response: TransportResponse): unknown {
  if (text === '') return undefined
  try {
    return parseJson(text)
  } catch (cause) {
    const kind = response.header('content-type') ?? 'no content-type'
    const found = text.length > 80 ? `${text.slice(0, 40)}…${text.slice(-40)}` : text
    const message = `Cannot read the response as JSON: found ${text.length} characters of ${kind}: ${found}`
    throw new APIResponseError(response.status, undefined, message, response.headers(), { cause })
  }
}

/** The error of a response whose status is not a success. */
export async function errorOf(response: TransportResponse): Promise<APIError> {
  const found = await readErrorText(response)
  // Most redirects have a page, which says less.
  const text = redirectHint(response) || found
  const body = parsed(text)
  const message = body === null ? undefined : text.slice(0, 2000)
  return statusError(response.status, body, message, response.headers())
}

/** The error of the class of its code, if the API names one, or else of its status. */
export function statusError(status: number, body: unknown, message: string | undefined, headers: Headers): APIError {
  const error = APIError.generate(status || undefined, body, message, headers)
  const codeClass = classOfCode(status, error.errorCode ?? '')
  return codeClass ? new codeClass(status as never, body, message, headers) : error
}

/** The most bytes of an error's body that are read. */
const maxErrorBytes = 1024 * 1024

/** The body of an error as text, or as much of it as arrives: the status counts more than the end of the text. */
async function readErrorText(response: TransportResponse): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (let chunk = await response.read(); chunk !== undefined; chunk = await response.read()) {
      text += decoder.decode(chunk, { stream: true })
      if (text.length > maxErrorBytes) response.cancel(new Error('The body of the error is too long'))
    }
  } catch (error) {
    // The connection broke, took too long, or the body is not encoded as its head says.
    return text || `The body of the error cannot be read: ${(error as Error).message}`
  }
  return text
}

/** Why a redirect is an error: the key is meant for the host that it was given for, and a POST could become a GET. */
function redirectHint(response: TransportResponse): string {
  // A browser hides the status and the target of a redirect.
  const isHidden = response.status === 0
  const location = response.status < 400 ? response.header('location') : null
  if (!isHidden && location === null) return ''
  return `Cannot follow a redirect to ${location ?? 'another URL'}: if it can be trusted, use it as the base URL`
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Closes a response that is longer than its limit. Returns the error to throw, which is not retried as an `APIResponseError`
 * would be: the next reply would be as long, and would be paid for too.
 */
export function tooLong(response: TransportResponse, maxBytes: number): APIError {
  const message = `Cannot read a response of more than ${maxBytes} bytes`
  const error = new APIError(response.status, undefined, message, response.headers())
  response.cancel(error)
  return error
}

/** Why a value is not a result of the API: the error that it reports, or an `APIResponseError`. Undefined if it is a result. */
export function wrongResult(value: unknown, response: TransportResponse, mayBeEmpty?: boolean): APIError | undefined {
  if (value === undefined && mayBeEmpty) return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const found =
      value === undefined ? 'an empty body' : Array.isArray(value) ? 'a list' : JSON.stringify(value).slice(0, 80)
    const message = `Cannot read the response as a JSON object: found ${found}`
    return new APIResponseError(response.status, undefined, message, response.headers())
  }
  if (!isError(value)) return wrongPage(value, response)
  const type = (value as { error?: { type?: unknown } }).error?.type
  const status = statusByType.get(String(type))
  if (status !== undefined) return APIError.generate(status, value, undefined, response.headers())
  return new APIResponseError(response.status, value, undefined, response.headers())
}

/** Why an object is not a page of a list, if it looks like one: its items are not a list, or the same page was sent before. */
function wrongPage(value: object, response: TransportResponse): APIResponseError | undefined {
  const { data, has_more, first_id, last_id, next_page } = value as Partial<ListPage<unknown>>
  if (has_more === undefined && next_page === undefined) return undefined
  const query = URL.canParse?.(response.url) ? new URL(response.url).searchParams : new URLSearchParams()
  const cursors = { after_id: last_id, before_id: first_id, page: next_page }
  const repeated = Object.entries(cursors).find(([name, cursor]) => cursor != null && query.get(name) === cursor)
  if (Array.isArray(data ?? []) && !repeated) return undefined
  const found = repeated ? `the one with ${repeated.join(' ')} was sent again` : `its data is ${describeValue(data)}`
  const message = `Cannot read the response as a page of a list: ${found}`
  return new APIResponseError(response.status, undefined, message, response.headers())
}

/** Whether an object is an error in the form of the API, or in one of those that gateways use. */
function isError(value: object): boolean {
  const { type, error, id, content, data } = value as Record<string, unknown>
  if (type === 'error' || (error !== undefined && error !== null)) return true
  const isResult = [type, id, content, data].some((field) => field !== undefined)
  return !isResult && ['message', 'detail', 'title', 'errors'].some((name) => name in value)
}

/** The error of a request that could not be prepared: the client's own as it is, else one that names the wrong value. */
export function preparationError({ body, betas }: RequestOptions, cause: unknown): AnthropicError {
  if (cause instanceof AnthropicError) return cause
  if (!isTextList(betas)) return new AnthropicError('Cannot use betas as it must be a list of texts', { cause })
  const found = whyUnencodable(body) ?? String(cause)
  return new AnthropicError(`Cannot encode the request body as JSON: ${found}`, { cause })
}

function isTextList(value: unknown): boolean {
  return [value ?? []].flat().every((each) => typeof each === 'string')
}

function whyUnencodable(body: unknown): string | undefined {
  try {
    return findUnencodable(body, [], new Set())
  } catch {
    // A getter throws, which is the cause.
    return undefined
  }
}

/** `JSON.stringify()` fails at several thousand levels. */
const maxDepth = 1_000

/** Names the first value in the body that JSON cannot hold. */
function findUnencodable(value: unknown, path: (string | number)[], above: Set<object>): string | undefined {
  if (path.length > maxDepth) return `${path.slice(0, 3).join('.')} is nested too deep`
  const place = path.join('.') || 'the body'
  if (typeof value === 'bigint') return `${place} is the bigint ${value}`
  if (typeof value !== 'object' || value === null) return undefined
  if (above.has(value)) return `${place} refers back to an object that contains it`
  above.add(value)
  for (const [key, item] of Object.entries(value)) {
    const found = findUnencodable(item, [...path, key], above)
    if (found) return found
  }
  above.delete(value)
  return undefined
}

/** Each response that a caller was given lives as long as its body. */
const given = new WeakMap<object, TransportResponse>()

let dropped: FinalizationRegistry<() => void> | undefined

/** Gives a response to the caller, who may keep, read or drop it: an abort reaches it, and its signal does not keep it. */
export function handOver(
  response: TransportResponse,
  lend: (target: Cancellable) => (() => void) | undefined,
): Response {
  const result = response.response()
  const owner = result.body ?? result
  given.set(owner, response)
  const unsubscribe = lend(typeof WeakRef === 'undefined' ? response : weakTarget(new WeakRef(response)))
  if (!unsubscribe || typeof FinalizationRegistry === 'undefined') return result
  dropped ??= new FinalizationRegistry((end) => end())
  dropped.register(owner, unsubscribe)
  return result
}

// A function of its own, as a closure would keep every variable of the function around it.
function weakTarget(response: WeakRef<TransportResponse>): Cancellable {
  return { cancel: (error) => response.deref()?.cancel(error) }
}
