import { MessageAccumulator } from '../../protocol/codec/accumulate.ts'
import { SseParser } from '../../protocol/codec/sse.ts'
import { APIError } from '../../protocol/types/error.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import type { TransportResponse } from '../transport/transport.ts'
import { isAbort } from './abort.ts'
import { fieldAt } from './attributes.ts'

/** How a call ended. */
export interface Outcome {
  response?: TransportResponse
  /** The value of the reply, or the part of a message that arrived. */
  value?: unknown
  /** Whether a message has its final usage. Default true. */
  isComplete?: boolean
  /** Whether the reader gave up the reply. */
  isCancelled?: boolean
}

/** A stream that ended with an error, or without its last event. */
export class StreamFailure {
  readonly type: string

  constructor(type: string) {
    this.type = type
  }
}

/** Is told of the end of a reply. */
interface Observer {
  isMessage: boolean
  /** Whether the text of a streamed message is kept. */
  keepsContent: boolean
  firstDelta(): void
  end(outcome: Outcome, error?: unknown): void
}

/** The most bytes of a JSON reply that are kept to read its fields. */
const maxJsonBytes = 16 * 1024 * 1024

/** A response that tells how its body ended. A failure that another attempt may mend is not told. */
export function observed(response: TransportResponse, observer: Observer): TransportResponse {
  const type = (response.header('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase()
  const body = type === 'text/event-stream' ? new StreamedBody(observer) : new WholeBody(type, observer)
  let isBegun = false
  return {
    status: response.status,
    url: response.url,
    header: (name) => response.header(name),
    headers: () => response.headers(),
    async read() {
      isBegun = true
      let chunk
      try {
        chunk = await response.read()
      } catch (error) {
        body.fail(error)
        throw error
      }
      body.take(chunk)
      return chunk
    },
    cancel(error) {
      response.cancel(error)
      body.fail(error)
    },
    response() {
      // The caller reads the body itself, unseen.
      if (!isBegun) observer.end({})
      return response.response()
    },
  }
}

/** A body that is read to its end before it has a value. */
class WholeBody {
  readonly #observer: Observer
  readonly #isJson: boolean
  #decoder = new TextDecoder()
  #text = ''

  constructor(type: string, observer: Observer) {
    this.#observer = observer
    this.#isJson = /[/+]json$/.test(type)
  }

  take(chunk: Uint8Array | undefined): void {
    if (chunk === undefined) return this.#end()
    if (this.#isJson && this.#text.length < maxJsonBytes) this.#text += this.#decoder.decode(chunk, { stream: true })
  }

  fail(error: unknown): void {
    if (isAbort(error) || !(error instanceof APIError)) this.#observer.end({ isCancelled: true })
  }

  #end(): void {
    if (!this.#isJson) return this.#observer.end({})
    let value: unknown
    try {
      value = JSON.parse(this.#text)
    } catch {
      // The client reports it, and perhaps makes another attempt.
      if (this.#text !== '') return
    }
    if (fieldAt(value, ['error']) === undefined || !this.#observer.isMessage) this.#observer.end({ value })
  }
}

/** The events of a message, up to the last one that was read. */
class StreamedBody {
  readonly #observer: Observer
  readonly #parser = new SseParser()
  readonly #message = new MessageAccumulator()
  #hasDelta = false
  #hasUsage = false
  #isBroken = false

  constructor(observer: Observer) {
    this.#observer = observer
  }

  take(chunk: Uint8Array | undefined): void {
    if (chunk === undefined) {
      if (this.#hasBegun) this.#end({}, new StreamFailure('api_error'))
      return
    }
    if (this.#isBroken) return
    try {
      for (const { event, data } of this.#parser.push(chunk)) this.#event(event, data)
    } catch {
      // The client reads the same bytes and reports what is wrong with them.
      this.#isBroken = true
    }
  }

  fail(error: unknown): void {
    const isCancelled = isAbort(error) || !(error instanceof APIError)
    // Before the first event, another attempt may follow.
    if (isCancelled || this.#hasBegun) this.#end({ isCancelled }, error)
  }

  get #hasBegun(): boolean {
    return this.#message.message !== undefined
  }

  #event(name: string | undefined, data: string): void {
    if (name === 'content_block_delta') {
      if (!this.#hasDelta) this.#observer.firstDelta()
      this.#hasDelta = true
      if (!this.#observer.keepsContent) return
    }
    const event = JSON.parse(data) as MessageStreamEvent
    if (name === 'error') {
      const type = fieldAt(event, ['error', 'type'])
      if (this.#hasBegun) this.#end({}, new StreamFailure(typeof type === 'string' ? type : 'api_error'))
      return
    }
    this.#message.push(event)
    if (name === 'message_delta') this.#hasUsage = true
    if (name === 'message_stop') this.#end({})
  }

  #end(outcome: Outcome, error?: unknown): void {
    const { message } = this.#message
    const { keepsContent } = this.#observer
    const value = message && (keepsContent ? message : { ...message, content: [] })
    this.#observer.end({ ...outcome, value, isComplete: this.#hasUsage }, error)
  }
}
