// Loaded with the first request that is sent on.
import { requestTo, type FinalRequestOptions, type RecoverOptions } from '../../client/request/options.ts'
import { readValue, wrongResult } from '../../client/request/on-demand/rare-bodies.ts'
import type { Parse, RetryingRequest } from '../../client/request/retrying-request.ts'
import { openEvents } from '../../client/stream/events/response-events.ts'
import type { MessageEvents } from '../../client/stream/events/message-events.ts'
import { ResumingEvents } from '../../client/stream/resume/resuming-events.ts'
import type { Cancellable } from '../../client/request/cancellation.ts'
import type { TransportResponse } from '../../client/transport/transport.ts'
import type { Forwarded, ForwardedBody, ForwardRequest } from '../../protocol/types/engine.ts'
import { EventChecker } from './event-checker.ts'
import { ForwardedEvents } from './forwarded-events.ts'
import { headersOf } from './response-headers.ts'
import { ReceivedBytes } from './received-bytes.ts'
import { TappedResponse } from './tapped-response.ts'

/** The part of this library's client that sends any request. */
export interface ForwardingClient {
  sendRequest<Result>(
    options: FinalRequestOptions,
    parse: Parse<Result>,
    failure?: Error,
  ): PromiseLike<Result> & Cancellable & { readonly remainingMs: number }
}

export interface ForwardOptions {
  signal: AbortSignal | undefined
  /** Continues a stream that breaks off, where that is possible. */
  recover: RecoverOptions | undefined
}

/** Sends a request on through a client, with the client's credentials and retries. */
export async function forward(
  client: ForwardingClient,
  { path, headers, body, params }: ForwardRequest,
  { signal, recover }: ForwardOptions,
): Promise<Forwarded> {
  const options = requestTo('post', path, { headers, signal })
  if ((params as { stream?: unknown }).stream !== true)
    return client.sendRequest({ ...options, body }, readForwardedBody)
  const received = new ReceivedBytes()
  const sent = client.sendRequest({ ...options, body }, (response, request) => {
    // The bytes of an attempt that failed before its first event are not passed on.
    received.clear()
    const options = { pings: true, collector: new EventChecker() }
    return openEvents(new TappedResponse(response, received), request, options)
  })
  const first = await sent
  const { remainingMs } = sent
  const keeps = (): boolean => received.total <= mostKeptBytes
  const all = recover ? resuming(first, { client, options, params, recover, remainingMs, keeps }) : first
  return new ForwardedEvents({ first, all, received })
}

/** The most bytes of a stream that are kept to continue it: more than any model writes. An endless one would take all memory. */
const mostKeptBytes = 64 * 1024 * 1024

interface Resuming {
  client: ForwardingClient
  options: FinalRequestOptions
  params: ForwardRequest['params']
  recover: RecoverOptions
  /** The rest of the request's `totalTimeout`; 0 without one. */
  remainingMs: number
  keeps: () => boolean
}

// A function of its own, as a closure in `forward()` would keep the body of the first request.
function resuming(
  first: MessageEvents,
  { client, options, params, recover, remainingMs, keeps }: Resuming,
): MessageEvents {
  const endsAt = performance.now() + remainingMs
  return new ResumingEvents(first, params, { ...recover, holdsBlocks: false, keeps }, (continued, failure) =>
    client.sendRequest(
      {
        ...options,
        body: { ...continued, stream: true },
        totalTimeout: remainingMs && Math.max(endsAt - performance.now(), 1),
      },
      (response, request) => openEvents(response, request, { pings: true }),
      failure,
    ),
  )
}

async function readForwardedBody(response: TransportResponse, request: RetryingRequest): Promise<ForwardedBody> {
  const text = await request.readText(response)
  const value = valueOf(text, response)
  const error = wrongResult(value, response)
  if (error) throw error
  request.finish()
  return {
    type: 'body',
    text,
    value,
    header: (name) => response.header(name),
    headers: () => headersOf(response),
  }
}

/** Only its counts are read, so the value need not be exact. */
function valueOf(text: string, response: TransportResponse): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return readValue(text, response)
  }
}
