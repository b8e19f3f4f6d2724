import { encodeJson } from '../../../protocol/codec/attached-json.ts'
import { AnthropicError } from '../../../protocol/types/error.ts'
import { fetchTransport, globalFetch } from '../fetch-transport.ts'
import type { Transport, WireRequest } from '../transport.ts'
import { encodeMessages } from './encoded-messages.ts'
import { shown } from './http1/refusal.ts'
import { socketTransport } from './http1/socket-transport.ts'
import { httpTransport } from './http-transport.ts'
import { isFetchReplaced, isFetchWatched } from './observed/observed-fetch.ts'
import { isHttpObserved } from './observed/observed-http.ts'
import { proxiesOf } from './proxy.ts'

export interface NodeTransportOptions {
  /** PEM certificates to trust instead of Node's built-in ones. To add to those, set `NODE_EXTRA_CA_CERTS`. */
  ca?: string | readonly string[] | undefined
  /** A proxy for every request, or `false` for none. Default: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. */
  proxy?: string | false | undefined
  /** `'node'` sends every request through `node:http` and `node:https`. Default `'sockets'`: only the unusual ones. */
  transport?: 'sockets' | 'node' | undefined
}

/**
 * Sends through sockets of Node. Requests that need features of `node:http` and `node:https` go through these, and through
 * `fetch` while the process has a mock, a dispatcher or a tracer there.
 */
export function nodeTransport({ ca, proxy, transport = 'sockets' }: NodeTransportOptions): Transport {
  if (transport !== 'sockets' && transport !== 'node') {
    throw new AnthropicError(`Cannot use transport as it must be 'sockets' or 'node': found ${String(transport)}`)
  }
  checkCertificates(ca)
  const proxyFor = proxiesOf(proxy)
  const overHttp = httpTransport({ ca, proxyFor, isShared: ca === undefined && !proxy })
  const overSockets = socketTransport(ca)
  const overFetch = fetchTransport(globalFetch)
  // `fetch` has no such options.
  const mayFetch = transport === 'sockets' && ca === undefined && !proxy
  const transportFor = (request: WireRequest): Transport => {
    if (transport === 'node' || proxyFor?.(new URL(request.url))) return overHttp
    if (mayFetch && isFetchReplaced()) return overFetch
    if (!isPlain(request) || isHttpObserved()) return overHttp
    return mayFetch && isFetchWatched() ? overFetch : overSockets
  }
  const send = (request: WireRequest): ReturnType<Transport> => transportFor(request)(request)
  // A mock of `fetch` expects the body as a string.
  const encode = (body: object): ReturnType<typeof encodeMessages> =>
    mayFetch && isFetchReplaced() ? encodeJson(body) : encodeMessages(body)
  return Object.assign(send, { encode })
}

/** Refuses a path, which Node would take for an empty list: no server would be trusted. */
function checkCertificates(ca: NodeTransportOptions['ca']): void {
  const wrong = [ca ?? []].flat().find((text) => !text.includes('-----BEGIN'))
  if (wrong === undefined) return
  throw new AnthropicError(`Cannot use ca as it must be the text of PEM certificates: found ${shown(wrong)}`)
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
/** Headers that change how a message is framed, routed or answered, beside those whose names begin with `proxy-`. */
const connectionHeaders = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Whether a request asks for nothing but a response. */
function isPlain({ method, url, headers }: WireRequest): boolean {
  if (!methods.has(method) || !/^https?:/.test(url)) return false
  for (const name in headers) if (connectionHeaders.has(name) || name.startsWith('proxy-')) return false
  return true
}
