import type { Transport, WireRequest } from '../transport/transport.ts'
import { addHeaders, type HeadersLike, type MergedHeaders } from './headers.ts'
import type { Log } from './log.ts'
import { checkRequestOptions, type FinalRequestOptions } from './options.ts'
import { encodeBody, isWebBody, listOf, version, versionFor } from './request.ts'
import type * as uncommon from './on-demand/uncommon-parts.ts'
import type { EncodedBody } from './on-demand/web-body.ts'

/** The parts of a request that are the client's. */
export interface ClientParts {
  /** The text of `ANTHROPIC_CUSTOM_HEADERS`. */
  customHeaders: string | undefined
  /** Replace the custom headers. */
  defaultHeaders?: HeadersLike | null | undefined
  loneSurrogates?: 'replace' | 'refuse' | undefined
  defaultQuery?: object | undefined
  dangerouslyAllowBrowser?: boolean | undefined
  /** Encodes the body, if the transport has a way of its own. */
  encode: Transport['encode']
  /** Called for each attempt, with its headers. Returns those that authenticate it. */
  authenticate: (given: MergedHeaders) => HeadersLike | Promise<HeadersLike>
  /** The base URL of an attempt, once it is authenticated: a profile may set it. */
  findBaseUrl: (defaultBaseURL: string | undefined) => string
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
    const apiVersion = versionFor(body)
    const beta = listOf(betas).join(',') || undefined
    const json = encoded && { 'content-type': 'application/json' }
    // Awaits only what has to be loaded or read: for most requests nothing but the credentials.
    return async (attempt) => {
      const read = webBody && (await webBody)
      const own = (): MergedHeaders => {
        const values = {
          accept: 'application/json',
          'user-agent': `colloquy/${version}`,
          'anthropic-version': apiVersion,
          'x-stainless-retry-count': `${attempt}`,
          ...(client.dangerouslyAllowBrowser && { 'anthropic-dangerous-direct-browser-access': 'true' }),
          ...json,
          ...read?.headers,
        }
        return { values, removed: [] }
      }
      const requested = [{ 'anthropic-beta': beta }, headers]
      const { customHeaders, defaultHeaders, defaultQuery } = client
      const custom = customHeaders ? (await uncommonParts()).parseCustomHeaders(customHeaders) : undefined
      const merged = addHeaders(own(), custom, defaultHeaders)
      // The headers of the client do not know what this body is, unless it is text or bytes of the caller.
      if (encoded !== body) Object.assign(merged.values, json)
      addHeaders(merged, ...requested)
      const authentication = await client.authenticate(merged)
      const { href, isElsewhere } = urlUnder(client.findBaseUrl(options.defaultBaseURL), path)
      // The key and the headers of the client are meant for its own host.
      const { values } = isElsewhere ? addHeaders(own(), ...requested) : addHeaders(merged, authentication)
      const url = defaultQuery || query ? (await uncommonParts()).withQuery(href, defaultQuery, query) : href
      const debug = client.log('debug')
      if (debug) (await uncommonParts()).logRequest(debug, `${method} ${url}`, values)
      let sent = read?.bytes ?? encoded
      // `JSON.stringify` writes lone surrogates, which the API cannot read, as escapes.
      if (typeof sent === 'string' && sent.includes('\\ud'))
        sent = (await uncommonParts()).wellFormedBody(sent, { ...options, loneSurrogates })
      return { method: method.toUpperCase(), url, headers: values, body: sent, isStream: read?.isStream }
    }
  } catch (error) {
    // Thrown by the promise, like every other failure of a request.
    return async () => {
      throw (await uncommonParts()).preparationError(options, error)
    }
  }
}

interface Address {
  baseURL: string
  path: string
  href: string
  /** Whether the host is not that of the base URL. */
  isElsewhere: boolean
}

// Nearly all requests go to one URL, and parsing it takes 3 % of a short request.
let last: Address | undefined

/** The address of a path under the base URL, or of an absolute URL. */
export function urlUnder(baseURL: string, path: string): Address {
  if (last?.baseURL === baseURL && last.path === path) return last
  const isAbsolute = /^https?:\/\//.test(path)
  const { href, origin } = new URL(isAbsolute ? path : baseURL.replace(/\/*$/, '/') + path.replace(/^\//, ''))
  return (last = { baseURL, path, href, isElsewhere: isAbsolute && origin !== new URL(baseURL).origin })
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
