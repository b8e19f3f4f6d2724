import { connectionError } from './failures/connection-error.ts'
import { closeBody, FetchResponse } from './fetch-response.ts'
import type { PendingRequest, Transport, TransportResponse, WireRequest } from './transport.ts'

/** The part of `fetch` that the client uses. A server's handler fits as it is. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response> | Response

/** The `fetch` that the process has at the time of the request. */
export const globalFetch: Fetch = (url, init) => globalThis.fetch(url, init)

/** Sends through a `fetch`. */
export function fetchTransport(fetch: Fetch, fetchOptions?: RequestInit): Transport {
  return ({ method, url, headers, body, isStream }) => {
    const controller = new AbortController()
    let cancel!: (error: Error) => void
    const response = new Promise<TransportResponse>((resolve, reject) => {
      let cancelled = false
      // A `fetch` may ignore the signal: reject at once, and close a response that comes late.
      cancel = (error) => {
        cancelled = true
        controller.abort(error)
        reject(error)
      }
      const sent = new Headers(headers)
      // One of the caller's may be that of another body, and then the request never ends.
      sent.delete('content-length')
      const init = { method, headers: sent, ...bodyOf(body, isStream), signal: controller.signal }
      // A redirect would take the key to another host, and could make a GET without a body of a POST.
      callFetch(fetch, url, { redirect: 'manual', ...fetchOptions, ...init }).then(
        (response) => {
          if (cancelled) closeBody(response)
          else resolve(new FetchResponse(response, url, controller))
        },
        (error: unknown) => reject(connectionError(url, error)),
      )
    })
    return { response, cancel } satisfies PendingRequest
  }
}

async function callFetch(fetch: Fetch, url: string, init: RequestInit): Promise<Response> {
  const response: Response | null | undefined = await fetch(url, init)
  if (response) return response
  throw (await import('./other-bodies.ts')).noResponse()
}

function bodyOf(body: WireRequest['body'], isStream?: boolean): Pick<RequestInit, 'body'> {
  // Only the DOM's types have the name `BodyInit`.
  const bytes = (Array.isArray(body) ? new Blob(body) : body) as Uint8Array<ArrayBuffer> | undefined
  if (isStream) return { body: new Response(bytes).body, duplex: 'half' } as Pick<RequestInit, 'body'>
  return bytes === undefined ? {} : { body: bytes }
}
