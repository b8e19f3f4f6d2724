import { newId } from 'colloquy/engines'
import type { MessageDeltaUsage, MessageStreamEvent, PingEvent } from 'colloquy/protocol'

/** One line of the access log. It never holds a body, a key or any text of the conversation. */
export interface AccessEntry {
  requestId: string
  method: string
  path: string
  /** 499 if the client left before the response began. */
  status: number
  model: string | null
  stream: boolean
  inputTokens: number | null
  cacheReadTokens: number | null
  cacheWriteTokens: number | null
  outputTokens: number | null
  stopReason: string | null
  /** Milliseconds from the request to the first event of the message. */
  ttftMs: number | null
  /** Milliseconds from the request to the end of the response. */
  ms: number
  /** Whether the client left before the end. */
  aborted: boolean
  /** The error that was thrown, if any. */
  error: unknown
}

/** Collects what is known of one request, and writes it to the access log once, when the response has ended. */
export class RequestLog {
  readonly #entry: AccessEntry
  readonly #now: () => number
  readonly #startedAt: number
  readonly #write: ((entry: AccessEntry) => void) | undefined
  #isStreaming = false
  #isDone = false

  constructor(
    { method, path }: { method: string; path: string },
    now: () => number,
    write: ((entry: AccessEntry) => void) | undefined,
  ) {
    this.#now = now
    this.#startedAt = now()
    this.#write = write
    this.#entry = {
      requestId: newId('req_01'),
      method,
      path,
      status: 200,
      model: null,
      stream: false,
      inputTokens: null,
      cacheReadTokens: null,
      cacheWriteTokens: null,
      outputTokens: null,
      stopReason: null,
      ttftMs: null,
      ms: 0,
      aborted: false,
      error: undefined,
    }
  }

  get requestId(): string {
    return this.#entry.requestId
  }

  /** The request passed validation. */
  accepted({ model, stream = false }: { model: string; stream?: boolean }): void {
    this.#entry.model = model
    this.#entry.stream = stream
  }

  /** The reply has sent this event. */
  sent(event: MessageStreamEvent | PingEvent): void {
    if (event.type === 'message_start') {
      this.#entry.ttftMs ??= this.#now() - this.#startedAt
      this.#addUsage(event.message.usage)
    } else if (event.type === 'message_delta') {
      this.#entry.stopReason = event.delta.stop_reason
      this.#addUsage(event.usage)
    }
  }

  // Counts are totals so far: a number replaces the earlier one, null keeps it.
  #addUsage(usage: MessageDeltaUsage): void {
    const entry = this.#entry
    entry.inputTokens = usage.input_tokens ?? entry.inputTokens
    entry.cacheReadTokens = usage.cache_read_input_tokens ?? entry.cacheReadTokens
    entry.cacheWriteTokens = usage.cache_creation_input_tokens ?? entry.cacheWriteTokens
    entry.outputTokens = usage.output_tokens
  }

  failed(error: unknown): void {
    this.#entry.error ??= error
  }

  clientLeft(): void {
    this.#entry.aborted = true
  }

  /** The response has a body that is still being written: `streamEnded()` ends the log, not `responded()`. */
  streaming(): void {
    this.#isStreaming = true
  }

  responded(status: number): void {
    this.#entry.status = status
    if (!this.#isStreaming) this.#end()
  }

  streamEnded(): void {
    if (this.#isStreaming) this.#end()
  }

  /** The request ends without a response. */
  broken(error: unknown): void {
    this.failed(error)
    this.#end()
  }

  #end(): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#entry.ms = this.#now() - this.#startedAt
    this.#write?.(this.#entry)
  }
}
