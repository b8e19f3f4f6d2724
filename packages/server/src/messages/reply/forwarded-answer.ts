import type { EncodedEvents, EventSink, Forwarded, ForwardedBody, ForwardedStream, Message } from 'colloquy/protocol'
import type { RequestLog } from '../../operate/request-log.ts'
import type { Answer } from '../exchange.ts'
import { rateLimitHeaders } from '../rate-limit-headers.ts'
import { type EventSource, pipeReads } from './event-source.ts'

/** The answer that passes on a response that has arrived. */
export function forwardedAnswer(forwarded: Forwarded, log: RequestLog): Answer {
  const { text } = forwarded as ForwardedBody
  log.wrote(text.length)
  return {
    status: 200,
    headers: { ...headersOfForwarded(forwarded, log), 'content-type': 'application/json' },
    body: text,
  }
}

/** The answer to a request for a reply that has arrived whole. */
export function forwardedMessage(forwarded: ForwardedBody, log: RequestLog): Answer {
  log.replied(forwarded.value as Message)
  return forwardedAnswer(forwarded, log)
}

/** The headers of an upstream's response that are passed on: its rate limits. The request id is passed by the log. */
export function headersOfForwarded(forwarded: Forwarded, log: RequestLog): Record<string, string> {
  log.upstreamResponded(forwarded.header('request-id'))
  return rateLimitHeaders(forwarded.headers())
}

/** The events of a stream that is passed on, also before its response has begun. */
export class ForwardedSource implements EventSource {
  /** Undefined when the response has begun. */
  #opening: Promise<ForwardedStream> | undefined
  /** Set when the response has begun. */
  stream: ForwardedStream | undefined

  constructor(opening: Promise<Forwarded>) {
    this.#opening = opening as Promise<ForwardedStream>
  }

  read(): Promise<EncodedEvents | undefined> {
    return this.stream ? this.stream.read() : this.#open()
  }

  async #open(): Promise<EncodedEvents | undefined> {
    this.stream = await this.#opening!
    this.#opening = undefined
    return this.stream.read()
  }

  pipe(sink: EventSink): void {
    if (this.stream?.pipe) this.stream.pipe(sink)
    else pipeReads(this, sink)
  }

  /** Does nothing: the signal of the request ends the stream. */
  leave(): void {}
}
