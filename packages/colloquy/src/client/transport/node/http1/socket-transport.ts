import { connectionError } from '../../failures/connection-error.ts'
import type { PendingRequest, Transport, TransportResponse, WireRequest } from '../../transport.ts'
import { asyncContext } from '../async-context.ts'
import { BufferedResponse, fieldIn, type BodySource } from '../buffered-response.ts'
import type { NodeAsyncResource } from '../modules.ts'
import type { BodyReceiver, Connection, Exchange } from './connection.ts'
import { encodedResponse } from './encoded-response.ts'
import { Origin } from './origin.ts'
import { isRefusal } from './refusal.ts'
import { RequestWriter } from './request-bytes.ts'
import type { ResponseHead } from './response-head.ts'
import { ResponseParser } from './response-parser.ts'

type Certificates = string | readonly string[] | undefined

/** Sends through sockets of Node, and reads the HTTP/1.1 of the responses itself: half of the cost of `node:http`. */
export function socketTransport(ca: Certificates): Transport {
  const origins = ca === undefined ? sharedOrigins : new Map<string, Origin>()
  // Most requests go to one URL, and parsing it costs as much as parsing a head.
  let target: Target | undefined
  const send: Transport = (request) => {
    if (target?.url !== request.url) target = targetOf(request.url, origins, ca)
    return new SocketRequest(request, target)
  }
  return Object.assign(send, { sample: sampleResponse() })
}

const sharedOrigins = new Map<string, Origin>()

/** The destination of the requests to one URL. */
interface Target {
  /** As the caller wrote it. */
  readonly url: string
  /** Normalized. */
  readonly href: string
  readonly origin: Origin
  readonly writer: RequestWriter
}

function targetOf(url: string, origins: Map<string, Origin>, ca: Certificates): Target {
  const parsed = new URL(url)
  let origin = origins.get(parsed.origin)
  if (!origin) origins.set(parsed.origin, (origin = new Origin(parsed, ca)))
  return { url, href: parsed.href, origin, writer: new RequestWriter(parsed) }
}

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
  readonly context: NodeAsyncResource = asyncContext()
  readonly #target: Target
  /** Undefined once the request is settled, so that its body can be freed. */
  #request: WireRequest | undefined
  #connection: Connection | undefined
  #isResent = false
  #resolve!: (response: TransportResponse) => void
  #reject!: (error: Error) => void

  constructor(request: WireRequest, target: Target) {
    this.#request = request
    this.#target = target
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
    const { href } = this.#target
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
    this.#target.origin.closeIdle()
    this.#send(this.#request)
  }

  #send(request: WireRequest): void {
    const { origin, writer } = this.#target
    const connection = (this.#connection = origin.take())
    try {
      connection.send(this, writer, request)
    } catch (error) {
      connection.destroy()
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#settle()
    this.#reject(connectionError(this.#target.href, error, isRefusal(error) ? 'read' : 'reach'))
  }

  /** Lets go of the request and its connection. */
  #settle(): Connection | undefined {
    const connection = this.#connection
    this.#request = this.#connection = undefined
    return connection
  }
}
