import type { Engine, EngineAttempt, EngineContext } from 'colloquy/engines'
import {
  type MessageCreateParams,
  type MessageStreamEvent,
  type PingEvent,
  accumulate,
  apiError,
} from 'colloquy/protocol'
import type { RequestLog } from '../../operate/request-log.ts'
import { EngineEvents } from './event-source.ts'
import { EventStream } from './event-stream.ts'
import { ExactMessage } from './exact-message.ts'
import type { Answer, Exchange } from '../exchange.ts'
import { fillMessage } from './fill-defaults.ts'
import { upstreamHeaders } from '../upstream-headers.ts'

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
  #inFlight = 0

  constructor(engine: Engine, { pingMs = 10_000, maxReplies = 1_000 }: RepliesOptions) {
    this.#engine = engine
    this.#pingMs = pingMs
    this.#maxReplies = maxReplies
  }

  async answer(
    params: MessageCreateParams,
    context: EngineContext,
    { controller, log }: Pick<Exchange, 'controller' | 'log'>,
  ): Promise<Answer> {
    log.accepted(params)
    if (this.#inFlight >= this.#maxReplies) throw apiError('overloaded_error', 'Overloaded')
    const slot = this.#takeSlot(controller)
    try {
      const headers: Record<string, string> = {}
      const onHeaders = (received: Headers): void => void Object.assign(headers, upstreamHeaders(received))
      const onAttempt = (attempt: EngineAttempt): void => log.attempted(attempt)
      const { requestId } = log
      const own = { ...context, requestId, signal: controller.signal, onHeaders, onAttempt }
      const events = this.#engine(params, own)
      if (params.stream) return await this.#stream(events, { log, slot, headers })
      const exact = new ExactMessage()
      const message = fillMessage(await accumulate(logged(events, log, exact)))
      slot.release()
      headers['content-type'] = 'application/json'
      const body = exact.encode(message)
      log.wrote(body.length)
      return { status: 200, headers, body }
    } catch (error) {
      slot.release()
      throw error
    }
  }

  #takeSlot(controller: AbortController): Slot {
    this.#inFlight++
    let isTaken = true
    return {
      controller,
      release: () => {
        if (isTaken) this.#inFlight--
        isTaken = false
      },
    }
  }

  async #stream(events: Events, { log, slot, headers }: StreamParts): Promise<Answer> {
    const stream = new EventStream(new EngineEvents(events), {
      log,
      pingMs: this.#pingMs,
      onEnd: (reason) => {
        if (reason === 'left') slot.controller.abort()
        slot.release()
        log.streamEnded()
      },
    })
    await stream.start()
    log.streaming()
    headers['content-type'] = 'text/event-stream; charset=utf-8'
    headers['cache-control'] = 'no-cache'
    return { status: 200, headers, body: stream }
  }
}

type Events = AsyncIterable<MessageStreamEvent | PingEvent>

interface StreamParts {
  log: RequestLog
  slot: Slot
  headers: Record<string, string>
}

/** The right to one of the replies in flight. */
interface Slot {
  /** Aborts the engine. */
  controller: AbortController
  release(): void
}

async function* logged(
  events: Events,
  log: RequestLog,
  exact: ExactMessage,
): AsyncGenerator<MessageStreamEvent | PingEvent> {
  for await (const event of events) {
    log.sent(event)
    exact.push(event)
    yield event
  }
}
