import { AnthropicError } from '../../protocol/types/error.ts'
import { encodeJson } from '../../protocol/codec/attached-json.ts'
import { apiVersion } from './version.ts'

/** Checks what the paths are appended to, and takes trailing slashes off. */
export function checkBaseUrl(baseURL: string): string {
  const url = URL.canParse(baseURL) ? new URL(baseURL) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new AnthropicError(`Cannot use the base URL as it is no http or https URL: found ${JSON.stringify(baseURL)}`)
  }
  if (url.username || url.password) {
    throw new AnthropicError(
      `Cannot use the base URL for ${url.host} as it holds a user name or password: pass apiKey or authToken`,
    )
  }
  if (url.search || url.hash) {
    throw new AnthropicError(
      `Cannot use the base URL as paths are appended to it: found ${url.search}${url.hash} at its end`,
    )
  }
  const trimmed = baseURL.trim().replace(/\/+$/, '')
  if (trimmed.endsWith('/v1')) {
    throw new AnthropicError(
      `Cannot use the base URL ${trimmed} as every path begins with /v1 itself: leave it out (${trimmed.slice(0, -3)})`,
    )
  }
  return trimmed
}

export type Query = Record<string, unknown>

/** The URL of a path under the base URL, or of an absolute URL; later queries win. */
export function buildUrl(baseURL: string, path: string, ...queries: (Query | null | undefined)[]): string {
  const url = new URL(/^https?:\/\//.test(path) ? path : `${baseURL}${path}`)
  for (const [name, value] of Object.entries(Object.assign({}, ...queries) as Query)) {
    url.searchParams.delete(name)
    appendQuery(url.searchParams, name, value)
  }
  // As the API's own clients write a space; a plus sign is `%2B` by now.
  url.search = url.search.replaceAll('+', '%20')
  return url.href
}

/** Lists are written `name[]=…`, objects `name[key]=…`, as the API reads them. */
function appendQuery(query: URLSearchParams, name: string, value: unknown): void {
  if (value === undefined) return
  if (Array.isArray(value)) {
    for (const item of value) appendQuery(query, `${name}[]`, item)
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) appendQuery(query, `${name}[${key}]`, item)
  } else {
    query.append(name, value === null ? '' : `${value as string | number | boolean}`)
  }
}

/** A path with an id in it, which may hold nothing that would lead elsewhere. */
export function pathOf(prefix: string, id: string, suffix: string = ''): string {
  if (typeof id !== 'string' || id === '' || id === '.' || id === '..') {
    throw new AnthropicError(`Cannot ask for ${prefix}/… without an id: found ${JSON.stringify(id)}`)
  }
  return `${prefix}/${encodeURIComponent(id)}${suffix}`
}

/** The JSON of a request body. Bytes and strings are sent as they are. Throws what `JSON.stringify` throws. */
export function encodeBody(
  body: unknown,
  encode: (body: object) => string | readonly Uint8Array[] = encodeJson,
): string | Uint8Array | readonly Uint8Array[] | undefined {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string' || body instanceof Uint8Array) return body
  return encode(body)
}

const samplingFields = ['temperature', 'top_p', 'top_k']

/** The API version a body can be sent under: 2026-10-21 refuses the sampling fields whatever their value. */
export function versionFor(body: unknown): string {
  const samples =
    typeof body === 'object' &&
    body !== null &&
    samplingFields.some((field) => (body as Record<string, unknown>)[field] !== undefined)
  return samples ? '2023-06-01' : apiVersion
}
