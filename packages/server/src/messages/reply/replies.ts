import type { Engine, EngineAttempt, EngineContext } from 'colloquy/engines'
import { type ForwardRequest, type ForwardedBody, type MessageCreateParams, apiError } from 'colloquy/protocol'
import { EngineEvents, type EventSource } from './event-source.ts'
import { ForwardedSource, forwardedMessage, headersOfForwarded } from './forwarded-answer.ts'
import { EventStream } from './event-stream.ts'
import type { Answer, Exchange } from '../exchange.ts'
import { upstreamError } from '../failure.ts'
import { rateLimitHeaders } from '../rate-limit-headers.ts'
import { type InFlight, Slot } from './slot.ts'
import type { ReplyEvents } from './reply-events.ts'
import { wholeReply } from './whole-reply.ts'

export interface RepliesOptions {
  /** Default 10,000. */
  pingMs?: number
  /** Default 1,000. */
  maxReplies?: number
}

/** Answers requests with the engine's reply, as JSON or as a stream. Limits the number of replies in flight. */
export class Replies {
  readonly #engine: Engine
  readonly #pingMs: number
  readonly #maxReplies: number
  readonly #inFlight: InFlight = { count: 0 }

  constructor(engine: Engine, { pingMs = 10_000, maxReplies = 1_000 }: RepliesOptions) {
    this.#engine = engine
    this.#pingMs = pingMs
    this.#maxReplies = maxReplies
  }

  /**
   * Answers with the events of the engine.
   *
   * @param observe may follow the events, or change them. Default: they are sent as they are.
   */
  async answer(
    params: MessageCreateParams,
    context: EngineContext,
    exchange: ReplyExchange,
    observe: (events: ReplyEvents) => ReplyEvents = (events) => events,
  ): Promise<Answer> {
    const { log } = exchange
    return this.#inSlot(params, exchange, async (slot) => {
      const headers: Record<string, string> = {}
      const onHeaders = (received: Headers): void => {
        Object.assign(headers, rateLimitHeaders(received))
        log.upstreamResponded(received.get('request-id'))
      }
      const events = observe(this.#engine(params, { ...context, ...contextOf(exchange), onHeaders }))
      if (params.stream) return streamAnswer(await this.#open(new EngineEvents(events), exchange, slot), headers)
      const body = await wholeReply(events, log)
      slot.release()
      headers['content-type'] = 'application/json'
      log.wrote(body.length)
      return { status: 200, headers, body }
    })
  }

  /** Answers with the bytes that the engine's upstream sends. */
  async forward(request: ForwardRequest, exchange: ReplyExchange): Promise<Answer> {
    try {
      return await this.#inSlot(request.params, exchange, (slot) => this.#forwarded(request, exchange, slot))
    } catch (error) {
      throw upstreamError(error, exchange.log)
    }
  }

  async #forwarded(request: ForwardRequest, exchange: ReplyExchange, slot: Slot): Promise<Answer> {
    const { log } = exchange
    const forwarded = this.#engine.forward!(request, contextOf(exchange))
    if (request.params.stream) {
      const source = new ForwardedSource(forwarded)
      const stream = await this.#open(source, exchange, slot)
      return streamAnswer(stream, source.stream ? headersOfForwarded(source.stream, log) : {})
    }
    const answer = forwardedMessage((await forwarded) as ForwardedBody, log)
    slot.release()
    return answer
  }

  /** Does the work of a reply. The slot is released if it fails. */
  async #inSlot(
    params: MessageCreateParams,
    { log }: ReplyExchange,
    work: (slot: Slot) => Promise<Answer>,
  ): Promise<Answer> {
    log.accepted({ model: params.model, stream: params.stream === true, max_tokens: params.max_tokens })
    if (this.#inFlight.count >= this.#maxReplies) throw apiError('overloaded_error', 'Overloaded')
    const slot = new Slot(this.#inFlight)
    try {
      return await work(slot)
    } catch (error) {
      slot.release()
      throw error
    }
  }

  async #open(source: EventSource, { controller, log }: ReplyExchange, slot: Slot): Promise<EventStream> {
    const stream = new EventStream(source, { log, controller, slot }, this.#pingMs)
    await stream.start()
    log.streaming()
    return stream
  }
}

function contextOf({ controller: { signal }, log }: ReplyExchange): EngineContext {
  const { requestId } = log
  return { signal, requestId, onAttempt: (attempt: EngineAttempt) => log.attempted(attempt) }
}

type ReplyExchange = Pick<Exchange, 'controller' | 'log'>

function streamAnswer(body: EventStream, headers: Record<string, string>): Answer {
  // nginx would collect the events of a stream that does not ask it to pass them on.
  const own = {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  }
  return { status: 200, headers: { ...headers, ...own }, body }
}
