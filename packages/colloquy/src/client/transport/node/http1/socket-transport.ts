import { connectionError } from '../../connection-error.ts'
import type { PendingRequest, Transport, TransportResponse, WireRequest } from '../../transport.ts'
import { BufferedResponse, fieldIn, type BodySource } from '../buffered-response.ts'
import type { BodyReceiver, Connection, Exchange } from './connection.ts'
import { encodedResponse } from './encoded-response.ts'
import { Origin } from './origin.ts'
import type { ResponseHead } from './response-head.ts'
import { ResponseParser } from './response-parser.ts'

type Certificates = string | readonly string[] | undefined

/** Sends through sockets of Node, and reads the HTTP/1.1 of the responses itself: half of the cost of `node:http`. */
export function socketTransport(ca: Certificates): Transport {
  const origins = ca === undefined ? sharedOrigins : new Map<string, Origin>()
  // Most requests go to one URL, and parsing it costs as much as parsing a head.
  let url: URL | undefined
  const send: Transport = (request) => {
    if (url?.href !== request.url) url = new URL(request.url)
    let origin = origins.get(url.origin)
    if (!origin) origins.set(url.origin, (origin = new Origin(url, ca)))
    return new SocketRequest(request, url, origin)
  }
  return Object.assign(send, { sample: sampleResponse() })
}

const sharedOrigins = new Map<string, Origin>()

/**
 * A response that is never received. It keeps the machine code of its classes, which V8 drops when a full garbage collection
 * finds no object of them, as between two requests: until it was compiled again, streams took a tenth longer.
 */
function sampleResponse(): object {
  const source: BodySource = { pause() {}, resume() {}, destroy() {} }
  const parser = new ResponseParser('GET', { onHead() {}, onBody() {}, onEnd() {} })
  return { parser, response: new BufferedResponse({ status: 200, fields: [] }, '', source) }
}

class SocketRequest implements PendingRequest, Exchange {
  readonly response: Promise<TransportResponse>
  readonly #url: URL
  readonly #origin: Origin
  /** Undefined once the request is settled, so that its body can be freed. */
  #request: WireRequest | undefined
  #connection: Connection | undefined
  #isResent = false
  #resolve!: (response: TransportResponse) => void
  #reject!: (error: Error) => void

  constructor(request: WireRequest, url: URL, origin: Origin) {
    this.#request = request
    this.#url = url
    this.#origin = origin
    this.response = new Promise<TransportResponse>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#send(request)
  }

  cancel(error: Error): void {
    this.#reject(error)
    this.#settle()?.destroy()
  }

  begin(head: ResponseHead, source: BodySource): BodyReceiver {
    this.#settle()
    const { href } = this.#url
    if (fieldIn(head.fields, 'content-encoding') !== null) {
      const [response, receiver] = encodedResponse(head, href, source)
      this.#resolve(response)
      return receiver
    }
    const response = new BufferedResponse(head, href, source)
    this.#resolve(response)
    return response
  }

  fail(error: Error, isUnanswered: boolean): void {
    // The server closed an idle connection while the request was on its way. It has closed the others like it too.
    const isStale = isUnanswered && !this.#isResent && this.#connection?.isReused
    if (!isStale || !this.#request) return this.#fail(error)
    this.#isResent = true
    this.#origin.closeIdle()
    this.#send(this.#request)
  }

  #send(request: WireRequest): void {
    const { host, pathname, search } = this.#url
    const connection = (this.#connection = this.#origin.take())
    try {
      connection.send(this, host, pathname + search, request)
    } catch (error) {
      connection.destroy()
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#settle()
    this.#reject(connectionError(this.#url.href, error))
  }

  /** Lets go of the request and its connection. */
  #settle(): Connection | undefined {
    const connection = this.#connection
    this.#request = this.#connection = undefined
    return connection
  }
}
