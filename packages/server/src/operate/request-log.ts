import { type EngineAttempt, newId } from 'colloquy/engines'
import {
  costOf,
  decimalUsd,
  isBilled,
  type Message,
  type MessageDeltaUsage,
  type MessageStreamEvent,
  type ModelEntry,
  type PingEvent,
  type Usage,
} from 'colloquy/protocol'
import { reportedText, reportedUsage } from './reported.ts'

/** One line of the access log. It never holds a body, a key or any text of the conversation. */
export interface AccessEntry {
  requestId: string
  method: string
  /** Its first 1,000 characters. */
  path: string
  /** The key of the sender. Null without one, if it was not accepted, or without `access`. */
  key: { id: string; name: string } | null
  /** The workspace of the sender. Null without `access`. */
  workspace: string | null
  /** The request id of the upstream that the request was sent on to. */
  upstreamRequestId: string | null
  /** 499 if the client left before the response began. */
  status: number
  /** The model that the request names. */
  model: string | null
  /** The model that replied, as the reply names it. */
  servedModel: string | null
  /** The engines that were tried, if the server's engine chose among several. The last one without an error replied. */
  attempts: EngineAttempt[]
  stream: boolean
  inputTokens: number | null
  cacheReadTokens: number | null
  cacheWriteTokens: number | null
  outputTokens: number | null
  /** All counts of the reply as far as they have arrived. */
  usage: Usage | null
  /** The cost of the reply in US dollars: an exact decimal. Null without a reply or without a price. */
  usd: string | null
  stopReason: string | null
  /** Whether the reply cost nothing, as the model refused before it wrote anything. */
  isFree: boolean
  /** Milliseconds from the request to the first token: the beginning of the first block, as engines may begin a message earlier. */
  ttftMs: number | null
  /** Milliseconds from the request to the end of the response. */
  ms: number
  /** The bytes of the request's body, and of the response's. */
  requestBytes: number
  responseBytes: number
  /** Whether the client left before the end. */
  aborted: boolean
  /** The error that was thrown, if any. */
  error: unknown
}

/** A request that passed the limits of its key: `Passage` of `access/access.ts`. */
interface SettledRequest {
  headers: readonly (readonly [name: string, value: string])[]
  settle(entry: AccessEntry): bigint | undefined
}

/** The sender of a request: `Caller` of `access/access.ts`. */
interface Sender {
  key: { id: string; name: string } | undefined
  workspace: string
}

/** The parameters of a request that its log needs. */
interface AcceptedParams {
  model: string
  stream?: boolean
  max_tokens?: unknown
}

/** Facts about a request that was refused, beside its entry. */
export interface UnrecordedRequest {
  /** The model that its body names; empty if it names none. */
  model: string
  /** When it arrived, in milliseconds since 1970. */
  at: number
}

/** Functions that are called when a response has ended. */
export interface RequestLogOptions {
  /** Returns milliseconds since 1970. */
  now: () => number
  write?: ((entry: AccessEntry) => void) | undefined
  /** Models to search before the catalogue, for the costs of requests that no limits of a key record. */
  models?: readonly ModelEntry[] | undefined
  /** Called before, for a request that ended before it passed to the limits of its key: they record the others. */
  onUnrecorded?: ((entry: AccessEntry, request: UnrecordedRequest) => void) | undefined
}

const longestPath = 1_000
/** The longest name of a model that is kept of a request that was not checked. */
const longestModel = 200

/** Collects what is known of one request, and writes it to the access log once, when the response has ended. */
export class RequestLog {
  readonly #entry: AccessEntry
  readonly #at: number
  /** A time of `performance.now()`, which never jumps. */
  readonly #startedAt = performance.now()
  readonly #write: RequestLogOptions['write']
  readonly #onUnrecorded: RequestLogOptions['onUnrecorded']
  readonly #models: RequestLogOptions['models']
  #isStreaming = false
  #isDone = false
  #characters = 0
  #maxTokens = Infinity
  #passage: SettledRequest | undefined
  #limitHeaders: SettledRequest['headers'] = []
  #isRecorded = false
  #namedModel = ''

  constructor(
    { method, path }: { method: string; path: string },
    { now, write, onUnrecorded, models }: RequestLogOptions,
  ) {
    this.#at = now()
    this.#write = write
    this.#onUnrecorded = onUnrecorded
    this.#models = models
    this.#entry = newEntry(method, path)
  }

  get requestId(): string {
    return this.#entry.requestId
  }

  /** Headers for the response: its id, and the limits of the key. */
  get responseHeaders(): (readonly [name: string, value: string])[] {
    return [['request-id', this.responseId], ...this.#limitHeaders]
  }

  /** The id that the client is told: the upstream's, if the request was sent on. */
  get responseId(): string {
    return this.#entry.upstreamRequestId ?? this.#entry.requestId
  }

  /** The response of a further route may have an id of its own, which is also in the body of an error. It is the request's then. */
  told(responseId: string | null): void {
    if (responseId !== null && responseId !== this.responseId) this.#entry.requestId = responseId
  }

  /** The request was sent on, and the upstream has responded. */
  upstreamResponded(requestId: string | null): void {
    this.#entry.upstreamRequestId = requestId
  }

  /** The sender is known. */
  admitted({ key, workspace }: Sender): void {
    this.#entry.key = key ? { id: key.id, name: key.name } : null
    this.#entry.workspace = workspace
  }

  /** The body names a model. It may be any value: the body is not checked yet. */
  named(model: unknown): void {
    if (typeof model === 'string') this.#namedModel = model.slice(0, longestModel)
  }

  /** From now on the limits of the key record the request, also if they refuse it. */
  passing(): void {
    this.#isRecorded = true
  }

  /** The request passed validation, as far as this server checks it. */
  accepted({ model, stream = false, max_tokens: most }: AcceptedParams): void {
    this.#entry.model = model
    this.#entry.stream = stream
    if (typeof most === 'number') this.#maxTokens = most
  }

  /** The request has passed the limits of its key. The passage is settled when the response has ended. */
  began(passage: SettledRequest): void {
    this.#passage = passage
    this.#limitHeaders = passage.headers
  }

  /** The limits of the key refused the request. @param headers tell the limits. */
  limited(headers: SettledRequest['headers']): void {
    this.#limitHeaders = headers
  }

  /** One of several engines was tried. */
  attempted(attempt: EngineAttempt): void {
    this.#entry.attempts.push(attempt)
  }

  /** The body of the request has been read. */
  received(bytes: number): void {
    this.#entry.requestBytes = bytes
  }

  /** A part of the response's body is sent. */
  wrote(bytes: number): void {
    this.#entry.responseBytes += bytes
  }

  /** The reply has sent this event. */
  sent(event: MessageStreamEvent | PingEvent): void {
    if (event.type === 'message_start') {
      this.#entry.servedModel = reportedText(event.message?.model)
      this.#addUsage(event.message?.usage)
    } else if (event.type === 'content_block_start') {
      this.#entry.ttftMs ??= this.#elapsedMs()
    } else if (event.type === 'message_delta') {
      // The time of the first token is not known yet if there was none.
      this.#entry.isFree ||= this.#entry.ttftMs === null && !isBilled({ ...event.delta, content: [] })
      this.#entry.ttftMs ??= this.#elapsedMs()
      this.#entry.stopReason = reportedText(event.delta?.stop_reason)
      this.#addUsage(event.usage)
    } else if (event.type === 'content_block_delta') {
      this.wroteText(lengthOf(event.delta))
    }
  }

  /** The reply has arrived whole. */
  replied(message: Message): void {
    this.#entry.servedModel = reportedText(message.model)
    this.#entry.stopReason = reportedText(message.stop_reason)
    this.#entry.isFree = Array.isArray(message.content) && !isBilled(message)
    this.#entry.ttftMs ??= this.#elapsedMs()
    if (message.usage) this.#addUsage(message.usage)
  }

  #elapsedMs(): number {
    return Math.round(performance.now() - this.#startedAt)
  }

  /** The reply has sent so many characters of text, thinking or tool input. They estimate the tokens of a reply that is cut. */
  wroteText(characters: number): void {
    this.#characters += characters
  }

  // Counts are totals so far: a number replaces the earlier one, null keeps it.
  #addUsage(reported: MessageDeltaUsage): void {
    const entry = this.#entry
    const usage = reportedUsage(reported)
    entry.usage = mergeUsage(entry.usage, usage)
    entry.inputTokens = usage.input_tokens ?? entry.inputTokens
    entry.cacheReadTokens = usage.cache_read_input_tokens ?? entry.cacheReadTokens
    entry.cacheWriteTokens = usage.cache_creation_input_tokens ?? entry.cacheWriteTokens
    entry.outputTokens = usage.output_tokens ?? entry.outputTokens
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
    this.#entry.ms = this.#elapsedMs()
    estimateOutput(this.#entry, this.#characters, this.#maxTokens)
    if (!this.#isRecorded) this.#onUnrecorded?.(this.#entry, { model: this.#namedModel, at: this.#at })
    const settled = this.#passage?.settle(this.#entry)
    if (!this.#write) return
    if (this.#entry.usage) this.#entry.usd = usdOf(this.#passage ? settled : this.#listPrice(this.#entry.usage))
    this.#write(this.#entry)
  }

  #listPrice(usage: Usage): bigint | undefined {
    const { servedModel, model, isFree } = this.#entry
    if (isFree) return 0n
    const name = servedModel ?? model
    return name === null ? undefined : costOf(usage, name, this.#models && { models: this.#models })?.picoUsd
  }
}

function newEntry(method: string, path: string): AccessEntry {
  return {
    requestId: newId('req_01'),
    method,
    path: path.slice(0, longestPath),
    key: null,
    workspace: null,
    upstreamRequestId: null,
    status: 200,
    model: null,
    servedModel: null,
    attempts: [],
    stream: false,
    inputTokens: null,
    cacheReadTokens: null,
    cacheWriteTokens: null,
    outputTokens: null,
    usage: null,
    usd: null,
    stopReason: null,
    isFree: false,
    ttftMs: null,
    ms: 0,
    requestBytes: 0,
    responseBytes: 0,
    aborted: false,
    error: undefined,
  }
}

function usdOf(cost: bigint | undefined): string | null {
  return cost === undefined ? null : decimalUsd(cost)
}

const charactersPerToken = 4

/**
 * Only the end of a reply reports its output. A reply that is cut before is billed for what the model wrote, but for no more
 * than was reserved for it: a text of blanks has more characters for each token.
 */
function estimateOutput(entry: AccessEntry, characters: number, maxTokens: number): void {
  const { usage, stopReason } = entry
  if (usage === null || stopReason !== null) return
  const estimate = Math.min(Math.ceil(characters / charactersPerToken), maxTokens)
  entry.outputTokens = usage.output_tokens = Math.max(usage.output_tokens, estimate)
}

/** The characters of a delta, whatever its type. */
function lengthOf(delta: object | undefined): number {
  const { text, thinking, partial_json: json } = (delta ?? {}) as Partial<Record<string, unknown>>
  const written = text ?? thinking ?? json
  return typeof written === 'string' ? written.length : 0
}

/** Counts of a later event replace those of an earlier one, except by null. */
function mergeUsage(before: Usage | null, later: Partial<Usage>): Usage {
  const usage: Record<string, unknown> = before === null ? { ...noUsage } : { ...before }
  for (const name in later) {
    const value: unknown = later[name as keyof Usage]
    if (value != null) usage[name] = value
  }
  return usage as unknown as Usage
}

const noUsage: Usage = {
  input_tokens: 0,
  cache_creation_input_tokens: null,
  cache_read_input_tokens: null,
  output_tokens: 0,
}
