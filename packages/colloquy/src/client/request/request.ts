import { AnthropicError } from '../../protocol/types/error.ts'
import { bodyJson } from '../../protocol/codec/body-json.ts'
import type { OutputFormat } from '../../protocol/json/parsed-message.ts'
import type { JSONOutputFormat, OutputConfig } from '../../protocol/types/params.ts'
import { mergeHeaders } from './headers.ts'
import { ownOptions, type RequestOptions } from './options.ts'

/** The version of this package, sent in `user-agent`. */
export const version = '0.1.0'

/** Checks the base URL, to which paths that begin with `/v1` are appended: it ends in `/v1` only if a subclass changes them. */
export function checkBaseUrl(baseURL: unknown, mayEndInV1?: boolean): string {
  const text = String(baseURL).trim()
  try {
    const { protocol, username, password } = new URL(text)
    if (/^https?:$/.test(protocol) && !username && !password && !(mayEndInV1 ? /[?#]/ : /[?#]|\/v1\/*$/).test(text))
      return text
  } catch {
    // `URL.canParse()` is missing in some browsers that this package supports.
  }
  // A user name, a password or a query may be secret.
  const shown = text.replaceAll(/^([^/]*\/\/)?[^/]*@|[?#].*/g, '$1…')
  throw new AnthropicError(
    `Cannot use the base URL ${shown} as it must be an http or https URL without user name, query or final /v1`,
  )
}

/** A path with an id, which is encoded and may not be empty or a relative path. */
export function pathOf(prefix: string, id: unknown, suffix: string = ''): string {
  const text = String(id ?? '')
  // An object without a text of its own is `[object …]`.
  if (/^(\.{0,2}|\[object .*)$/.test(text)) {
    throw new AnthropicError(`Cannot request ${prefix}/… without an id: found "${text}" (${typeof id})`)
  }
  return `${prefix}/${encodeURIComponent(text)}${suffix}`
}

/** Encodes a request body as JSON, or throws what `JSON.stringify` throws. Bytes and strings are sent as they are. */
export function encodeBody(
  body: unknown,
  encode: (body: object) => string | readonly Uint8Array[] = bodyJson,
): string | Uint8Array | readonly Uint8Array[] | undefined {
  if (body == null) return undefined
  if (typeof body === 'string' || body instanceof Uint8Array) return body
  return encode(body)
}

/** Whether a body is not sent as JSON: a form, a file, a stream, an iterator, or a function that returns one. */
export function isWebBody(body: unknown): boolean {
  if (typeof body === 'function' || typeof (body as { next?: unknown } | null | undefined)?.next === 'function')
    return true
  // By name: naming the classes loads all of `fetch` on Node.
  return /Buffer|Blob|File|FormData|Stream|URLSearchParams/.test(Object.prototype.toString.call(body))
}

const samplingFields = ['temperature', 'top_p', 'top_k']

/** The API version for a body: 2026-10-21, or an older one for the sampling fields, which 2026-10-21 refuses. */
export function versionFor(body: unknown): string {
  const fields = Object(body) as Record<string, unknown>
  const samples = samplingFields.some((field) => fields[field] !== undefined)
  return samples ? '2023-06-01' : '2026-10-21'
}

/** Parameters that are not sent in the body under their name: most are sent as headers. */
export interface HeaderParams {
  betas?: readonly string[] | undefined
  user_profile_id?: string | null | undefined
  workspace_id?: string | null | undefined
  /** @deprecated The earlier name of `output_config.format`. */
  output_format?: JSONOutputFormat | OutputFormat<unknown> | null
}

type GivenOptions = RequestOptions | null | undefined

/** Moves parameters that are sent as headers into the options, and the others into the body, unless the options have one. */
export function toBodyAndOptions(params: HeaderParams, options: GivenOptions): RequestOptions {
  const [{ output_format: format, ...body }, settled] = splitHeaderParams(params, options)
  return { ...settled, body: ownOptions(options).body ?? (format == null ? body : withFormat(body, format)) }
}

function withFormat({ output_config, ...body }: { output_config?: OutputConfig | null }, format: unknown): object {
  if (output_config?.format != null) throw new AnthropicError('Cannot use both output_config.format and output_format')
  return { ...body, output_config: { ...output_config, format } }
}

/** Moves parameters that are sent as headers into the options. Returns the other parameters and the options. */
export function splitHeaderParams(
  given: HeaderParams | null | undefined,
  options: GivenOptions,
): [Record<string, unknown>, GivenOptions] {
  const { betas, user_profile_id, workspace_id, ...params } = given ?? {}
  const settled = betas == null ? options : { ...options, betas: [...listOf(betas), ...listOf(options?.betas)] }
  if (user_profile_id == null && workspace_id == null) return [params, settled]
  const headers = {
    'anthropic-user-profile-id': user_profile_id ?? undefined,
    'anthropic-workspace-id': workspace_id ?? undefined,
    ...headersOf(options),
  }
  return [params, { ...settled, headers }]
}

/** The options of a request whose parameters are all sent as headers. */
export function optionsWith(params: HeaderParams | null | undefined, options: GivenOptions): GivenOptions {
  return splitHeaderParams(params, options)[1]
}

/** The values of a list, or a single value. */
export function listOf<Value>(values: readonly Value[] | Value | null | undefined): readonly Value[] {
  return values == null ? [] : Array.isArray(values) ? values : [values as Value]
}

/** The headers of the options, by lower-case name; null removes one. */
export function headersOf(options: GivenOptions): Record<string, string | null> {
  const { values, removed } = mergeHeaders(options?.headers)
  return { ...Object.fromEntries(removed.map((name) => [name, null])), ...values }
}
