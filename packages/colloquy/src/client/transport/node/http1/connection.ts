import type { WireRequest } from '../../transport.ts'
import type { BodySource } from '../buffered-response.ts'
import { limitConnecting } from '../limit-connecting.ts'
import type { NodeAsyncResource, NodeBuffer, NodeSocket } from '../modules.ts'
import type { RequestWriter } from './request-bytes.ts'
import type { ResponseHead } from './response-head.ts'
import { ResponseParser, type ResponseReceiver } from './response-parser.ts'

// Long before the 4 to 5 minutes after which NATs and load balancers forget a silent connection.
const keepAliveDelayMs = 30_000

/** Waits for the response to a request. */
export interface Exchange {
  /** The async context of the request. The response is handled in it, as a socket has the context of its first request. */
  readonly context: NodeAsyncResource
  /** The response has begun. Returns the receiver of its body. */
  begin(head: ResponseHead, source: BodySource): BodyReceiver
  /** The connection failed before the response began. `isUnanswered` if not even a first byte had arrived. */
  fail(error: Error, isUnanswered: boolean): void
}

/** Receives the body of a response. */
export interface BodyReceiver {
  /** The memory of a piece is overwritten after the call if `isLent`. */
  push(piece: Uint8Array, isLent: boolean): void
  end(): void
  fail(error: Error): void
}

/** Keeps idle connections. */
export interface Keeper {
  keep(connection: Connection): void
  /** Called when a connection has closed, idle or not. */
  drop(connection: Connection): void
}

/** One connection. It serves requests one after the other. */
export class Connection implements ResponseReceiver, BodySource {
  /** Whether it served a request before. */
  isReused = false
  /** The time after which it is not used again, in `Date.now()` time. */
  usableUntil = 0
  readonly #socket: NodeSocket
  readonly #keeper: Keeper
  #parser: ResponseParser | undefined
  #exchange: Exchange | undefined
  #context: NodeAsyncResource | undefined
  #receiver: BodyReceiver | undefined
  #keepAliveMs = 0
  #isPaused = false

  /** `open` makes a socket whose reads go to the callback. */
  constructor(open: (read: (bytes: NodeBuffer, length: number) => boolean) => NodeSocket, keeper: Keeper) {
    this.#keeper = keeper
    this.#socket = open((bytes, length) => this.#read(bytes, length))
    this.#watch()
  }

  /** Sends a request. Throws if it has a header that cannot be sent. */
  send(exchange: Exchange, writer: RequestWriter, request: WireRequest): void {
    if (this.isReused) this.#socket.ref()
    this.#parser = new ResponseParser(request.method, this)
    this.#exchange = exchange
    this.#context = exchange.context
    writer.write(this.#socket, request)
  }

  onHead(head: ResponseHead): void {
    this.#keepAliveMs = head.keepAliveMs
    this.#receiver = this.#exchange?.begin(head, this)
    this.#exchange = undefined
  }

  onBody(bytes: Uint8Array): void {
    this.#receiver?.push(bytes, true)
  }

  onEnd(hasSurplus: boolean): void {
    const receiver = this.#receiver
    // A response that came before all of the request was sent leaves a connection in an unclear state.
    if (hasSurplus || this.#keepAliveMs === 0 || this.#socket.writableLength > 0) this.destroy()
    else this.#release()
    receiver?.end()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#socket.resume()
  }

  /** Closes the connection. The request and the response that it serves are told nothing. */
  destroy(): void {
    this.#parser = this.#exchange = this.#context = this.#receiver = undefined
    this.#socket.destroy()
    this.#keeper.drop(this)
  }

  #release(): void {
    this.#parser = this.#exchange = this.#context = this.#receiver = undefined
    if (this.#isPaused) this.resume()
    this.isReused = true
    this.usableUntil = Date.now() + this.#keepAliveMs
    // An idle connection does not keep the process alive.
    this.#socket.unref()
    this.#keeper.keep(this)
  }

  #watch(): void {
    const socket = this.#socket
    limitConnecting(socket)
    socket.setNoDelay(true)
    socket.once('connect', () => socket.setKeepAlive(true, keepAliveDelayMs))
    socket.on('error', (error) => this.#break(error))
    socket.on('end', () => this.#end())
    // Not `once()`, whose wrapper would live as long as the socket.
    socket.on('close', () => this.#end())
  }

  /** Handles the bytes of one read. Returns whether to continue reading. */
  #read(bytes: NodeBuffer, length: number): boolean {
    try {
      const parser = this.#parser
      if (parser) this.#context!.runInAsyncScope(() => parser.push(bytes, length))
      // No request asked for these bytes, so the next one must not take them for its response.
      else this.destroy()
    } catch (error) {
      this.#break(error as Error)
    }
    return !this.#isPaused
  }

  /** Handles the end of the server's bytes. */
  #end(): void {
    const parser = this.#parser
    if (parser && this.#context!.runInAsyncScope(() => parser.end())) return
    const message = this.#receiver ? 'aborted' : 'socket hang up'
    this.#break(Object.assign(new Error(message), { code: 'ECONNRESET' }))
  }

  #break(error: Error): void {
    const [parser, exchange, receiver] = [this.#parser, this.#exchange, this.#receiver]
    this.destroy()
    receiver?.fail(error)
    exchange?.fail(error, !parser?.hasBegun)
  }
}
