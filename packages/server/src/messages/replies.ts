import type { Engine, EngineContext } from 'colloquy/engines'
import {
  type MessageCreateParams,
  type MessageStreamEvent,
  type PingEvent,
  accumulate,
  apiError,
} from 'colloquy/protocol'
import { completeMessage } from './complete.ts'
import { EventStream } from './event-stream.ts'
import type { Exchange } from '../operate/exchange.ts'

export interface RepliesOptions {
  /** Default 10,000. */
  pingMs?: number
  /** Default 1,000. */
  maxReplies?: number
}

/** Asks the engine and answers, as one JSON text or as a stream. At most so many replies are under way at a time. */
export class Replies {
  readonly #engine: Engine
  readonly #pingMs: number
  readonly #most: number
  #open = 0

  constructor(engine: Engine, { pingMs = 10_000, maxReplies = 1_000 }: RepliesOptions) {
    this.#engine = engine
    this.#pingMs = pingMs
    this.#most = maxReplies
  }

  async answer(params: MessageCreateParams, context: EngineContext, exchange: Exchange): Promise<Response> {
    exchange.entry.model = params.model
    exchange.entry.stream = params.stream === true
    if (this.#open >= this.#most) throw apiError('overloaded_error', 'Overloaded')
    const reply = this.#begin(context.signal)
    try {
      const events = this.#engine(params, { ...context, signal: reply.controller.signal })
      if (params.stream) return await this.#stream(events, exchange, reply)
      const message = completeMessage(await accumulate(noted(events, exchange)))
      reply.end()
      return Response.json(message)
    } catch (error) {
      reply.end()
      throw error
    }
  }

  /** Takes a place, and ties the engine's signal to the caller's for as long as it is held. */
  #begin(caller: AbortSignal | undefined): Reply {
    this.#open++
    const controller = new AbortController()
    const onAbort = (): void => controller.abort(caller?.reason)
    if (caller?.aborted) onAbort()
    else caller?.addEventListener('abort', onAbort, { once: true })
    let isOpen = true
    return {
      controller,
      end: () => {
        if (isOpen) this.#open--
        isOpen = false
        caller?.removeEventListener('abort', onAbort)
      },
    }
  }

  async #stream(events: Events, exchange: Exchange, reply: Reply): Promise<Response> {
    const stream = new EventStream({
      events,
      exchange,
      pingMs: this.#pingMs,
      onEnd: (reason) => {
        if (reason === 'left') reply.controller.abort()
        reply.end()
        if (exchange.isStreaming) exchange.finish()
      },
    })
    await stream.start()
    exchange.isStreaming = true
    return new Response(stream.body(), {
      headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
    })
  }
}

type Events = AsyncIterable<MessageStreamEvent | PingEvent>

interface Reply {
  /** Aborts the engine. */
  controller: AbortController
  /** Gives the place back. */
  end(): void
}

async function* noted(events: Events, exchange: Exchange): AsyncGenerator<MessageStreamEvent | PingEvent> {
  for await (const event of events) {
    exchange.note(event)
    yield event
  }
}
