import { fetchTransport, type Fetch } from './fetch-transport.ts'
import { nodeTransport } from './node/node-transport.ts'
import { isNode } from './runtime.ts'
import type { Transport } from './transport.ts'

export interface TransportOptions {
  fetch?: Fetch | null | undefined
  fetchOptions?: RequestInit | null | undefined
  ca?: string | readonly string[] | undefined
  proxy?: string | false | undefined
}

/** Node's own sockets on Node; `fetch` elsewhere, and if the options contain `fetch` or `fetchOptions`. */
export function createTransport({ fetch, fetchOptions, ca, proxy }: TransportOptions): Transport {
  // Undefined in a bundle for browsers: see `browser` in package.json.
  if (nodeTransport && isNode() && fetch == null && fetchOptions == null) return nodeTransport({ ca, proxy })
  return fetchTransport(fetch ?? ((url, init) => globalThis.fetch(url, init)), fetchOptions ?? undefined)
}
