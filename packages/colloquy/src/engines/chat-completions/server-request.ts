import { decodeSse } from '../../protocol/codec/sse.ts'
import { AnthropicError, APIConnectionError, APIConnectionTimeoutError, APIError } from '../../protocol/types/error.ts'
import { connectionError } from '../../client/transport/failures/connection-error.ts'
import { longestTimerMs } from '../../tools/timer.ts'
import { abortError } from '../clock.ts'
import { errorIn, errorInStream, errorOf } from './errors.ts'
import { type ChatCompletionsOptions, headersOf } from './options.ts'
import { type ChatChunk, choicesIn, isChunk } from './wire.ts'

const maxErrorBytes = 64 * 1024
const maxJsonBytes = 16 * 1024 * 1024
const defaultTimeoutMs = 600_000

/** One request to a Chat Completions server, from its first byte to the end of its reply. */
export class ServerRequest {
  readonly #url: string
  readonly #options: ChatCompletionsOptions
  readonly #signal: AbortSignal | undefined
  readonly #controller = new AbortController()
  #isAnswered = false
  readonly #abort = (): void => this.#controller.abort()

  constructor(url: string, options: ChatCompletionsOptions, signal: AbortSignal | undefined) {
    this.#url = url
    this.#options = options
    this.#signal = signal
    signal?.addEventListener('abort', this.#abort, { once: true })
  }

  /**
   * The chunks of the reply. Throws an `APIError` for any other response, when the reply breaks off, and for a chunk that
   * reports an error.
   */
  async *chunks(body: string): AsyncGenerator<ChatChunk> {
    try {
      const response = await this.#send(body)
      if (!response.ok) throw errorOf(response.status, await textOf(response.body), response.headers)
      if (isPage(response))
        throw new APIConnectionError({
          message: `The model's server answered with a page, not with a reply, at ${withoutSecrets(this.#url)}.`,
        })
      for await (const value of this.#values(response)) {
        if (!isChunk(value)) continue
        const error = errorIn(value)
        if (error !== undefined) throw error
        yield value
      }
    } catch (error) {
      throw this.#explained(error)
    }
  }

  /** The JSON at the address. Throws an `APIError` for any other response. */
  async json(): Promise<unknown> {
    try {
      const response = await this.#send()
      if (!response.ok) throw errorOf(response.status, await textOf(response.body), response.headers)
      return JSON.parse(await textOf(response.body, maxJsonBytes))
    } catch (error) {
      throw this.#explained(error)
    }
  }

  /** Ends the request, if it has not ended. */
  close(): void {
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#controller.abort()
  }

  /** Posts the body, or without one gets the address. */
  async #send(body?: string): Promise<Response> {
    const { fetch = globalThis.fetch, timeoutMs = defaultTimeoutMs } = this.#options
    const timer = setTimeout(this.#abort, Math.min(timeoutMs, longestTimerMs))
    try {
      const response = await fetch(this.#url, {
        method: body === undefined ? 'GET' : 'POST',
        headers: headersOf(
          this.#options,
          body === undefined
            ? { accept: 'application/json' }
            : { 'content-type': 'application/json', accept: 'text/event-stream' },
        ),
        ...(body !== undefined && { body }),
        signal: this.#controller.signal,
        // A redirect would take the key along. Its status becomes an error.
        redirect: 'manual',
      })
      this.#isAnswered = true
      return response
    } finally {
      clearTimeout(timer)
    }
  }

  /** The JSON of each event, or the only one of a server that does not stream. Some servers name the wrong content type. */
  async *#values({ body }: Response): AsyncGenerator {
    if (body === null) throw new APIConnectionError({ message: "The model's server sent an empty reply." })
    const { sign, bytes } = await begun(body)
    if (sign !== '{' && sign !== '[') return yield* this.#events(bytes)
    const value: unknown = JSON.parse(await textOf(bytes, maxJsonBytes))
    // Gemini puts an error into a list.
    yield Array.isArray(value) ? (value as unknown[])[0] : value
  }

  async *#events(bytes: AsyncIterable<Uint8Array>): AsyncGenerator {
    let isFinished = false
    for await (const { event, data } of decodeSse(bytes)) {
      // Not every `fetch` ends its body when the signal aborts.
      if (this.#controller.signal.aborted) throw new DOMException('Aborted', 'AbortError')
      if (data.trim() === '[DONE]') return
      // Some servers keep a connection open with empty events.
      if (data.trim() === '') continue
      // Some servers send the error as text, or without a member `error` around it.
      if (event === 'error') throw errorInStream(data)
      const chunk = chunkIn(data)
      isFinished ||= isChunk(chunk) && choicesIn(chunk).some((choice) => choice.finish_reason)
      yield chunk
    }
    if (!isFinished) throw new APIConnectionError({ message: 'The stream ended before the message was complete.' })
  }

  /** Abort, timeout and broken connections by the names that the API's clients know. */
  #explained(error: unknown): unknown {
    if (error instanceof APIError) return error
    if (this.#signal?.aborted) return abortError(this.#signal)
    if (this.#controller.signal.aborted) return new APIConnectionTimeoutError()
    if (error instanceof SyntaxError) {
      return new APIConnectionError({ message: `The model's server sent a reply that is not JSON.`, cause: error })
    }
    if (error instanceof AnthropicError) return new APIConnectionError({ message: error.message, cause: error })
    return connectionError(this.#url, error, this.#isAnswered ? 'read' : 'reach')
  }
}

function chunkIn(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch (cause) {
    const message = `The model's server sent a reply that is not JSON: ${data.trim().slice(0, 100)}`
    throw new APIConnectionError({ message, cause: cause as Error })
  }
}

function isPage(response: Response): boolean {
  return /\btext\/html\b/.test(response.headers.get('content-type') ?? '')
}

/** A body, and the first sign in it that is not blank: empty if there is none. */
async function begun(body: AsyncIterable<Uint8Array>): Promise<{ sign: string; bytes: AsyncGenerator<Uint8Array> }> {
  const rest = body[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  let sign = ''
  while (sign === '') {
    const { done, value } = await rest.next()
    if (done) break
    first.push(value)
    sign = new TextDecoder().decode(value).trimStart().charAt(0)
  }
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield* first
    // Leaving this loop early cancels the body.
    yield* { [Symbol.asyncIterator]: () => rest }
  }
  return { sign, bytes: bytes() }
}

/** The text of a body, as far as it is worth reading. */
async function textOf(body: AsyncIterable<Uint8Array> | null, maxBytes = maxErrorBytes): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const bytes of body ?? []) {
    text += decoder.decode(bytes, { stream: true })
    if (text.length > maxBytes) break
  }
  return text
}

/** The address without what may be a key. */
function withoutSecrets(address: string): string {
  const url = URL.parse(address)
  return url === null ? 'its address' : `${url.origin}${url.pathname}`
}
