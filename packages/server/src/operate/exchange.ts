import { newId } from 'colloquy/engines'
import type { MessageDeltaUsage, MessageStreamEvent, PingEvent } from 'colloquy/protocol'

/** One line of the access log. It never holds a body, a key or any text of the conversation. */
export interface AccessEntry {
  requestId: string
  method: string
  path: string
  /** 499 when the client left before the answer began. */
  status: number
  model: string | null
  stream: boolean
  inputTokens: number | null
  cacheReadTokens: number | null
  cacheWriteTokens: number | null
  outputTokens: number | null
  stopReason: string | null
  /** From the request to the first event of the message. */
  ttftMs: number | null
  /** From the request to the end of the answer. */
  ms: number
  /** The client left before the end. */
  aborted: boolean
  /** What was thrown, if anything was. */
  error: unknown
}

/** A request on its way through the server, and what is known of it so far. */
export class Exchange {
  readonly entry: AccessEntry
  /** The answer's body outlives the handler; whoever writes it ends the exchange. */
  isStreaming = false
  readonly #now: () => number
  readonly #startedAt: number
  readonly #log: ((entry: AccessEntry) => void) | undefined
  #isDone = false

  constructor(request: Request, now: () => number, log: ((entry: AccessEntry) => void) | undefined) {
    this.#now = now
    this.#startedAt = now()
    this.#log = log
    this.entry = {
      requestId: newId('req_01'),
      method: request.method,
      path: new URL(request.url).pathname,
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
    return this.entry.requestId
  }

  /** Takes what an event tells of the reply. */
  note(event: MessageStreamEvent | PingEvent): void {
    if (event.type === 'message_start') {
      this.entry.ttftMs ??= this.#now() - this.#startedAt
      this.#count(event.message.usage)
    } else if (event.type === 'message_delta') {
      this.entry.stopReason = event.delta.stop_reason
      this.#count(event.usage)
    }
  }

  // Totals replace what was known; null keeps it.
  #count(usage: MessageDeltaUsage): void {
    const { entry } = this
    entry.inputTokens = usage.input_tokens ?? entry.inputTokens
    entry.cacheReadTokens = usage.cache_read_input_tokens ?? entry.cacheReadTokens
    entry.cacheWriteTokens = usage.cache_creation_input_tokens ?? entry.cacheWriteTokens
    entry.outputTokens = usage.output_tokens
  }

  /** Ends the exchange and logs it, once. */
  finish(error?: unknown): void {
    if (this.#isDone) return
    this.#isDone = true
    this.entry.ms = this.#now() - this.#startedAt
    this.entry.error ??= error
    this.#log?.(this.entry)
  }
}
