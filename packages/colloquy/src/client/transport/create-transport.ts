import { fetchTransport, globalFetch, type Fetch } from './fetch-transport.ts'
import { nodeTransport } from './node/node-transport.ts'
import { isNode } from './runtime.ts'
import type { Transport } from './transport.ts'

export interface TransportOptions {
  fetch?: Fetch | null | undefined
  fetchOptions?: RequestInit | null | undefined
  ca?: string | readonly string[] | undefined
  proxy?: string | false | undefined
  transport?: 'sockets' | 'node' | undefined
}

/** Node's own sockets on Node; `fetch` elsewhere, and if the options contain `fetch` or `fetchOptions`. */
export function createTransport(options: TransportOptions): Transport {
  const { fetch, fetchOptions } = options
  // Undefined in a bundle for browsers: see `browser` in package.json.
  if (nodeTransport && isNode() && fetch == null && fetchOptions == null) return nodeTransport(options)
  return fetchTransport(fetch ?? globalFetch, fetchOptions ?? undefined)
}
