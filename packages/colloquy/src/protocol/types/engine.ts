import type { MessageStreamEvent, PingEvent } from './event.ts'
import type { Usage } from './message.ts'
import type { MessageCountTokensParams, MessageCreateParams, MessageTokensCount } from './params.ts'
import type { ModelInfo } from './resources/model.ts'

/**
 * Turns a request into stream events. A client, a local model, a recording, a proxy and a loop around another engine are
 * engines.
 *
 * An engine always streams; `stream: false` is `accumulate(engine(…))`. It throws errors before the first event or after it,
 * as an `APIError` if the API has a type for them. Soon after `signal` aborts it stops and throws `APIUserAbortError` or the
 * signal's reason. If the consumer stops early (`return()`), the engine releases its resources.
 */
export interface Engine {
  (params: MessageCreateParams, context?: EngineContext): AsyncIterable<MessageStreamEvent | PingEvent>
  /** Counts the prompt's tokens. Absent if the engine cannot. */
  countTokens?(params: MessageCountTokensParams, context?: EngineContext): Promise<MessageTokensCount>
  /**
   * Sends a request on as it was received, and returns the bytes of the response. Present if the engine stands in front of a
   * server of this API. A server in front of the engine then encodes nothing again, in either direction.
   */
  forward?(request: ForwardRequest, context?: EngineContext): Promise<Forwarded>
  /** Lists the models that requests may name, newest first. Absent if the engine cannot tell. */
  listModels?(context?: EngineContext): Promise<readonly ModelInfo[]>
}

/** The part of a request that is not in its body. */
export interface EngineContext {
  signal?: AbortSignal
  /** The values of `anthropic-beta`. */
  betas?: readonly string[]
  /** The value of `anthropic-version`. Default `2026-10-21`. */
  version?: string
  /** The id that a server gave to the request, for logs. */
  requestId?: string
  /** The owner of the conversation that sends the request, for an engine that tells its users apart. */
  owner?: string
  /** Called by an engine that forwards the request, with the headers of the response. */
  onHeaders?: (headers: Headers) => void
  /** Called by an engine that chooses among others, for each one that it tried, when that one has failed or begun to reply. */
  onAttempt?: (attempt: EngineAttempt) => void
}

/** A request to send on. */
export interface ForwardRequest {
  /** The path with its query, such as `/v1/messages?beta=true`. */
  path: string
  /** The headers to send along, by lower-case name. They hold no key: the engine has its own. */
  headers: Record<string, string>
  /** The body, which is JSON. */
  body: Uint8Array
  /** The value of the body. Only `model` and `stream` have been checked. */
  params: MessageCreateParams
}

/** The response to a request that was sent on: a body, or with `stream: true` the events of a reply. */
export type Forwarded = ForwardedBody | ForwardedStream

interface ForwardedResponse {
  /** A header of the response by its lower-case name. */
  header(name: string): string | null
  /** All headers of the response, by lower-case name. */
  headers(): Iterable<readonly [name: string, value: string]>
}

/** A response that has arrived. */
export interface ForwardedBody extends ForwardedResponse {
  type: 'body'
  text: string
  /** The value of the text, which is a JSON object. */
  value: unknown
}

/** A response whose events arrive one after the other. An abort of the request's signal ends it. */
export interface ForwardedStream extends ForwardedResponse {
  type: 'stream'
  /** The next events. Undefined after the last one. Throws if the reply breaks off. */
  read(): Promise<EncodedEvents | undefined>
  /** Writes the next events to the sink, for as long as it wants more. Present if the stream needs no promise for them. */
  pipe?(sink: EventSink): void
}

/** Takes the events of a stream as they arrive. Its methods never throw. */
export interface EventSink {
  /** Takes the next events, or undefined after the last one. Returns whether it wants more. */
  write(events: EncodedEvents | undefined): boolean
  /** The reply breaks off. Nothing follows. */
  fail(error: unknown): void
}

/** Some events, and the bytes that they are sent as. */
export interface EncodedEvents {
  bytes: Uint8Array
  events: readonly (MessageStreamEvent | PingEvent)[]
}

/** One try of one of several engines. */
export interface EngineAttempt {
  /** The name of the engine. */
  engine: string
  /** The place of the engine among several of the same name, such as keys of one account. */
  index: number
  /** The model that was requested from it. */
  model: string
  /** The error, if it failed. An attempt without an error is the reply. */
  error?: unknown
  /** The usage of a reply that was not passed to the caller, because the model refused. */
  usage?: Usage
  /** Milliseconds until it failed or began to reply. */
  ms: number
}
