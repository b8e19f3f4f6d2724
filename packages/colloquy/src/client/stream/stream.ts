import { abandonedStreams } from './abandoned-streams.ts'
import { AnthropicError, APIUserAbortError } from '../../protocol/types/error.ts'
import type { ItemSource } from './item-source.ts'
import type * as forms from './forms/index.ts'
import type { RawEvent } from './forms/server-sent-events.ts'

/**
 * A stream of items that can be read once.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 *
 * const messages = [{ role: 'user' as const, content: 'What is 6 * 7?' }]
 * const request = { model: 'claude-sonnet-4-6', max_tokens: 100, messages, stream: true as const }
 * const [shown, logged] = (await new Anthropic().messages.create(request)).tee()
 * let events = 0
 * for await (const event of shown) if (event.type === 'message_stop') console.log('shown') // shown
 * for await (const _event of logged) events++
 * ```
 */
export class Stream<Item> implements AsyncIterable<Item> {
  readonly #iterate: () => AsyncIterator<Item>
  readonly #source: ItemSource<Item> | undefined
  #controller: AbortController | undefined
  #taken = false

  /** A stream over a `source` ends it when it is aborted or abandoned. */
  constructor(iterate: () => AsyncIterator<Item>, controller?: AbortController, source?: ItemSource<Item>) {
    this.#iterate = iterate
    this.#controller = controller
    this.#source = source
    if (source) abandonedStreams?.register(this, source, this)
  }

  /** Reads a stream that `toReadableStream()` wrote: an item as JSON on each line. */
  static fromReadableStream<Item>(readable: ReadableStream<Uint8Array>, controller?: AbortController): Stream<Item> {
    return new Stream(() => read((forms) => forms.readLines<Item>(readable, controller)), controller)
  }

  /** Reads the events of a streamed response, without pings. An `error` event is thrown as an `APIError`. */
  static fromSSEResponse<Item>(response: Response, controller?: AbortController): Stream<Item> {
    return new Stream(() => read((forms) => forms.readEvents<Item>(response, controller)), controller)
  }

  /** The events of a streamed response before their data is parsed: name, data, and lines without comments. */
  static rawEvents(response: Response, controller?: AbortController): AsyncGenerator<RawEvent> {
    return read((forms) => forms.readRawEvents(response, controller))
  }

  /** Aborts the stream. Aborted too when the signal of the request has ended the stream. Created on first use. */
  get controller(): AbortController {
    if (!this.#controller) {
      const { signal } = (this.#controller = new AbortController())
      const abort = (): void => {
        abandonedStreams?.unregister(this)
        this.#source?.cancel(new APIUserAbortError({ cause: signal.reason }))
      }
      signal.addEventListener('abort', abort, { once: true })
    }
    if (this.#source?.failure instanceof APIUserAbortError) this.#controller.abort()
    return this.#controller
  }

  /** @internal The source, for a reader that takes the place of the stream. Undefined if a loop has it, or if there is none. */
  takeSource(): ItemSource<Item> | undefined {
    abandonedStreams?.unregister(this)
    return this.#taken ? undefined : this.#source
  }

  /** The response that carries the stream, for its headers. The stream reads its body. */
  get response(): Response | undefined {
    return this.#source?.response?.response()
  }

  /** The id of the request, from the response that carries the stream. */
  get request_id(): string | null | undefined {
    return this.#source?.response?.header('request-id')
  }

  /** Throws when the stream breaks off or is aborted. Leaving the loop early closes the connection. */
  [Symbol.asyncIterator](): AsyncIterator<Item> {
    if (this.#taken) throw new AnthropicError('Cannot read a stream twice: use tee()')
    this.#taken = true
    return this.#iterate()
  }

  /** Two streams of the same items, each read at its own speed. Items that only one has read are buffered for the other. */
  tee(): [Stream<Item>, Stream<Item>] {
    const iterator = this[Symbol.asyncIterator]()
    const branches = loadForms().then(({ tee }) => tee(iterator))
    const branch = (index: 0 | 1): Stream<Item> => {
      const read = {
        next: async () => (await branches)[index].next(),
        return: async () => (await branches)[index].return!(),
      }
      return new Stream<Item>(() => read, this.controller)
    }
    return [branch(0), branch(1)]
  }

  /** The items as a web stream of bytes, each as a line of JSON. The inverse of `fromReadableStream()`. */
  toReadableStream(): ReadableStream<Uint8Array> {
    return toReadableStream(this)
  }
}

/** The items as a web stream, each as a line of JSON. */
export function toReadableStream<Item>(items: AsyncIterable<Item>): ReadableStream<Uint8Array> {
  const iterator = items[Symbol.asyncIterator]()
  return new ReadableStream({
    pull: async (controller) => (await loadForms()).writeLine(await iterator.next(), controller),
    cancel: async () => void (await iterator.return?.()),
  })
}

function loadForms(): Promise<typeof forms> {
  return import('./forms/index.ts')
}

/** Loads a reader on first use, as few programs need one. */
async function* read<Item>(open: (readers: typeof forms) => AsyncGenerator<Item>): AsyncGenerator<Item> {
  yield* open(await loadForms())
}
