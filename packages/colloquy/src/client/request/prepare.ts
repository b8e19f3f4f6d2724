import { AnthropicError } from '../../protocol/types/error.ts'
import type { Transport, WireRequest } from '../transport/transport.ts'
import { mergeHeaders, type HeadersLike, type MergedHeaders } from './headers.ts'
import type { Log, Logger } from './log.ts'
import { checkRequestOptions, type FinalRequestOptions } from './options.ts'
import { encodeBody, isWebBody, listOf, version, versionFor, type Query } from './request.ts'
import type * as uncommon from './on-demand/uncommon-parts.ts'
import type { EncodedBody } from './on-demand/web-body.ts'

export interface Authentication {
  headers: HeadersLike
  baseURL: string
}

/** The parts of a request that are the client's. */
export interface ClientParts {
  /** The text of `ANTHROPIC_CUSTOM_HEADERS`. */
  customHeaders: string | undefined
  /** Replace the custom headers. */
  defaultHeaders?: HeadersLike | undefined
  loneSurrogates?: 'replace' | 'refuse' | undefined
  defaultQuery?: Query | undefined
  dangerouslyAllowBrowser?: boolean | undefined
  /** Encodes the body, if the transport has a way of its own. */
  encode: Transport['encode']
  /** Called for each attempt, with the headers of client and request. */
  authenticate: (given: MergedHeaders, defaultBaseURL: string | undefined) => Promise<Authentication>
  log: Log
}

/** Checks and encodes a request once, now. Returns a function that adds what differs between attempts. */
export function prepareRequest(
  options: FinalRequestOptions,
  client: ClientParts,
): (attempt: number) => Promise<WireRequest> {
  try {
    checkRequestOptions(options)
    const { method, path, query, body, headers, betas, loneSurrogates = client.loneSurrogates } = options
    const webBody = isWebBody(body) ? readWebBody(body) : undefined
    const encoded = webBody ? undefined : encodeBody(body, loneSurrogates === 'refuse' ? undefined : client.encode)
    const own: HeadersLike = {
      accept: 'application/json',
      'user-agent': `colloquy/${version}`,
      'anthropic-version': versionFor(body),
      'anthropic-dangerous-direct-browser-access': client.dangerouslyAllowBrowser ? 'true' : undefined,
      'content-type': encoded === undefined ? undefined : 'application/json',
    }
    return async (attempt) => {
      const read = await webBody
      const requested = [{ 'anthropic-beta': listOf(betas).join(',') || undefined }, headers]
      const given = [await customHeaders(client), client.defaultHeaders, ...requested]
      const authentication = await client.authenticate(mergeHeaders(...given), options.defaultBaseURL)
      // The key and the headers of the client are meant for its own host.
      const isElsewhere = isAbsolute(path) && new URL(path).origin !== new URL(authentication.baseURL).origin
      const url = await urlOf(authentication.baseURL, path, [client.defaultQuery, query])
      const { values } = mergeHeaders(
        own,
        { 'x-stainless-retry-count': String(attempt), 'content-type': read?.contentType ?? undefined },
        ...(isElsewhere ? requested : [...given, authentication.headers]),
      )
      const debug = client.log('debug')
      if (debug) await logRequest(debug, `${method} ${url}`, values)
      return {
        method: method.toUpperCase(),
        url,
        headers: values,
        body: read?.bytes ?? (await wellFormed(encoded, { ...options, loneSurrogates })),
        isStream: read?.isStream,
      }
    }
  } catch (error) {
    // Thrown by the promise, like every other failure of a request.
    return async () => {
      if (error instanceof AnthropicError) throw error
      const { encodingError } = await uncommonParts()
      throw encodingError(options.body, error)
    }
  }
}

/** The URL of a path under the base URL, or of an absolute URL. */
async function urlOf(baseURL: string, path: string, queries: (Query | null | undefined)[]): Promise<string> {
  const href = isAbsolute(path) ? path : `${baseURL.replace(/\/*$/, '/')}${path.replace(/^\//, '')}`
  if (!queries.some(Boolean)) return new URL(href).href
  const { withQuery } = await uncommonParts()
  return withQuery(href, ...queries)
}

function isAbsolute(path: string): boolean {
  return /^https?:\/\//.test(path)
}

async function customHeaders({ customHeaders: text }: ClientParts): Promise<HeadersLike | undefined> {
  if (!text) return undefined
  const { parseCustomHeaders } = await uncommonParts()
  return parseCustomHeaders(text)
}

/** A body that the API can read: without lone surrogates, which `JSON.stringify` writes as escapes. */
async function wellFormed(body: WireRequest['body'], options: FinalRequestOptions): Promise<WireRequest['body']> {
  if (typeof body !== 'string' || !body.includes('\\ud')) return body
  const { wellFormedBody } = await uncommonParts()
  return wellFormedBody(body, options)
}

async function logRequest(debug: Logger['debug'], text: string, headers: Record<string, string>): Promise<void> {
  const { maskHeaders, maskUrl } = await uncommonParts()
  debug(maskUrl(text), maskHeaders(headers))
}

/** Reads a body that is not sent as JSON. A failure is thrown when the body is awaited. */
function readWebBody(body: unknown): Promise<EncodedBody> {
  const read = import('./on-demand/web-body.ts').then(({ encodeWebBody }) => encodeWebBody(body))
  read.catch(() => {})
  return read
}

let parts: Promise<typeof uncommon> | undefined

/** Loads the parts that few requests need. */
export function uncommonParts(): Promise<typeof uncommon> {
  // An import costs several microseconds each time.
  return (parts ??= import('./on-demand/uncommon-parts.ts'))
}
