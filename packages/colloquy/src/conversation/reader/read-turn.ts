import type { MessageJson, TurnEndEvent, TurnEvent } from '../turn/stream/turn-event.ts'
import { ArrivingReply, textIn } from './arriving-reply.ts'
import { EventParser } from './event-parser.ts'

/** Options of `readTurn()`. */
export interface ReadTurnOptions {
  /**
   * Requests the rest of the turn when the connection has broken: fetches a path that answers with `conversations.resume()`,
   * with the id as the header `Last-Event-ID` unless it is undefined. Default: reading fails.
   */
  resume?: (lastEventId: string | undefined) => Promise<Response>
  /** How often to reconnect without receiving an event in between. Default 10. */
  maxRetries?: number
  /** Milliseconds without a byte after which the connection counts as broken. Servers send a ping each 10 s. Default 30,000. */
  silenceMs?: number
  /** Called before each wait to reconnect. */
  onReconnect?: (reconnect: Reconnect) => void
  /** Ends the reading when it aborts. The turn continues. */
  signal?: AbortSignal
}

/** An attempt to reconnect. */
export interface Reconnect {
  /** 1 for the first one since the last event, which follows at once. */
  attempt: number
  delayMs: number
  error: unknown
}

/** The server refused the turn, or did not answer as `toResponse()` does. */
export class TurnResponseError extends Error {
  override name = 'TurnResponseError'
  readonly status: number
  /** The API's type of the error. */
  readonly type: string

  constructor(status: number, { type, message }: { type: string; message: string }) {
    super(message)
    this.status = status
    this.type = type
  }
}

/**
 * Reads the response of `turn.toResponse()` or `conversations.resume()`, in a browser or elsewhere.
 *
 * @example
 * ```ts
 * import { openConversations } from 'colloquy/conversation'
 * import { readTurn } from 'colloquy/conversation/reader'
 * import { offline } from 'colloquy/engines'
 *
 * // A server answers with `turn.toResponse()`; in a page this would be the response of `fetch()`.
 * const chat = await openConversations({ engine: offline() }).create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
 * const turn = readTurn(chat.send('What is 6 * 7?').toResponse())
 * let shown = ''
 * for await (const text of turn.text) shown += text
 * console.log(shown) // 6 * 7 = 42
 * ```
 */
export function readTurn(response: Response | PromiseLike<Response>, options: ReadTurnOptions = {}): TurnReader {
  return new TurnReader(response, options)
}

/**
 * A turn that is read from a response. Iterate over it once: over its events, or over `text`. The error that ended the turn
 * is in `end`; iterating throws a `TurnResponseError` if the server refused the turn, and the error of the connection if it
 * broke and could not be restored.
 *
 * @example
 * ```ts
 * import { openConversations } from 'colloquy/conversation'
 * import { readTurn } from 'colloquy/conversation/reader'
 * import { offline } from 'colloquy/engines'
 *
 * const chat = await openConversations({ engine: offline() }).create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
 * const turn = readTurn(chat.send('What is 6 * 7?').toResponse())
 * for await (const event of turn) if (event.type === 'turn_end') console.log(event.stopped) // false
 * console.log(turn.message?.state) // committed
 * ```
 */
export class TurnReader implements AsyncIterable<TurnEvent> {
  readonly #response: Response | PromiseLike<Response>
  readonly #options: ReadTurnOptions
  readonly #reply = new ArrivingReply()
  #lastEventId: string | undefined
  #end: TurnEndEvent | undefined

  constructor(response: Response | PromiseLike<Response>, options: ReadTurnOptions) {
    this.#response = response
    this.#options = options
  }

  /** The reply as far as it has arrived, and in the end as it is recorded; undefined before the step begins. */
  get message(): MessageJson | undefined {
    return this.#reply.message
  }

  /** The end of the turn; undefined before it. */
  get end(): TurnEndEvent | undefined {
    return this.#end
  }

  /** The id of the last event, for a page that reloads; undefined before the first step. */
  get lastEventId(): string | undefined {
    return this.#lastEventId
  }

  /** The text of the turn as it arrives. An empty line separates the texts of two steps. */
  get text(): AsyncIterable<string> {
    return this.#texts()
  }

  /** Yields the events as they arrive, to the `turn_end`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TurnEvent> {
    const { resume, maxRetries = 10, signal } = this.#options
    let response: Response | PromiseLike<Response> = this.#response
    for (let attempt = 0; ;) {
      try {
        for await (const { id, event } of readEvents(await response, this.#options)) {
          attempt = 0
          this.#lastEventId = id ?? this.#lastEventId
          this.#reply.push(event)
          if (event.type === 'turn_end') this.#end = event
          yield event
          if (this.#end) return
        }
        if ((await response).status === 204) return
        throw new Error('The connection broke off before the end of the turn')
      } catch (error) {
        const isRefused = error instanceof TurnResponseError && (error.status < 500 || response === this.#response)
        if (!resume || isRefused || signal?.aborted || attempt >= maxRetries) throw error
        const delayMs = attempt === 0 ? 0 : Math.min(250 * 2 ** (attempt - 1), 4_000)
        attempt++
        this.#options.onReconnect?.({ attempt, delayMs, error })
        await new Promise((resolve) => setTimeout(resolve, delayMs))
        response = resume(this.lastEventId)
      }
    }
  }

  async *#texts(): AsyncGenerator<string> {
    let separator = ''
    let seen = ''
    for await (const event of this) {
      const text = textIn(this.message)
      if (event.type === 'step_start') {
        separator = seen === '' ? '' : '\n\n'
        seen = text
      } else if (text.length > seen.length && text.startsWith(seen)) {
        yield separator + text.slice(seen.length)
        separator = ''
        seen = text
      }
    }
  }
}

/** The events of a response. Throws a `TurnResponseError` if it is an error. */
async function* readEvents(
  response: Response,
  { silenceMs = 30_000, signal }: ReadTurnOptions,
): AsyncGenerator<{ id: string | undefined; event: TurnEvent }> {
  if (!response.ok) throw await refusal(response)
  const reader = response.body?.getReader()
  const parser = new EventParser()
  const stop = (): void => void reader?.cancel(signal?.reason).catch(() => {})
  signal?.addEventListener('abort', stop)
  try {
    while (reader) {
      const { done, value } = await unlessSilent(reader.read(), silenceMs)
      signal?.throwIfAborted()
      if (done) return
      for (const { id, event, data } of parser.push(value))
        if (event !== 'ping') yield { id, event: JSON.parse(data) as TurnEvent }
    }
  } finally {
    signal?.removeEventListener('abort', stop)
    stop()
  }
}

async function refusal(response: Response): Promise<TurnResponseError> {
  const text = await response.text()
  let body: { error?: { type: string; message: string } } = {}
  try {
    body = JSON.parse(text) as typeof body
  } catch {
    // A proxy answered with a page of its own.
  }
  const error = body.error ?? { type: 'api_error', message: `The server answered with ${response.status}` }
  return new TurnResponseError(response.status, error)
}

async function unlessSilent<T>(read: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The connection is silent')), ms)
  })
  try {
    return await Promise.race([read, silence])
  } finally {
    clearTimeout(timer)
  }
}
