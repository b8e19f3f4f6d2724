import { AnthropicError } from '../../protocol/types/error.ts'
import { parseJson } from '../../protocol/codec/parse-json.ts'
import type { RetryingRequest } from '../request/retrying-request.ts'
import { IdleWatch } from '../stream/idle-watch.ts'
import type { ItemSource } from '../stream/item-source.ts'
import type { TransportResponse } from '../transport/transport.ts'

/** The longest line, as the longest body of a message. */
const maxLineLength = 64 * 1024 * 1024

/** The values of a JSON Lines body as they arrive. Its end, an abort or a long silence closes the connection. */
export class JsonLines<Item> implements ItemSource<Item> {
  readonly response: TransportResponse
  failure: Error | undefined
  readonly #request: RetryingRequest
  readonly #url: string
  readonly #watch: IdleWatch
  readonly #decoder = new TextDecoder()
  /** The beginning of a line whose end has not arrived. */
  #rest = ''
  #lines = 0
  isOver = false

  constructor(response: TransportResponse, request: RetryingRequest, url: string) {
    this.response = response
    this.#request = request
    this.#url = url
    this.#watch = new IdleWatch(request.policy.idleTimeout, request.endsAt, (error) => response.cancel(error))
    request.setCancelTarget(this)
  }

  async read(): Promise<readonly Item[] | undefined> {
    while (!this.failure && !this.isOver) {
      const items = this.#parse(await this.#lineTexts())
      if (items.length > 0) return items
    }
    this.#request.finish()
    if (this.failure) throw this.failure
    return undefined
  }

  cancel(error: Error): void {
    this.failure ??= error
    this.#end()
    this.#request.finish()
  }

  /** The lines that end in the next chunk. */
  async #lineTexts(): Promise<string[]> {
    this.#watch.startWaiting()
    let chunk
    try {
      chunk = await this.response.read()
    } catch (error) {
      this.cancel(error as Error)
      return []
    }
    this.#watch.stopWaiting()
    const text = chunk ? this.#decoder.decode(chunk, { stream: true }) : this.#decoder.decode()
    const lines = this.#split(text)
    if (this.#rest.length > maxLineLength) {
      const message = `Cannot read line ${this.#lines + lines.length + 1} of ${this.#url}: it has more than ${maxLineLength} characters`
      this.cancel(new AnthropicError(message))
    }
    if (chunk) return lines
    this.#end()
    return [...lines, this.#rest]
  }

  /** The lines that end in the text. Only the text is searched: a long line arrives in many chunks. */
  #split(text: string): string[] {
    const [first = '', ...lines] = text.split('\n')
    this.#rest += first
    const rest = lines.pop()
    if (rest === undefined) return []
    lines.unshift(this.#rest)
    this.#rest = rest
    return lines
  }

  /** The values of the lines. Those before a malformed line are still handed out. */
  #parse(lines: readonly string[]): Item[] {
    const items: Item[] = []
    for (const line of lines) {
      this.#lines++
      try {
        if (line.trim()) items.push(parseJson(line) as Item)
      } catch (cause) {
        const message = `Cannot read line ${this.#lines} of ${this.#url} as JSON: found ${line.slice(0, 60)}`
        this.cancel(new AnthropicError(message, { cause }))
        break
      }
    }
    return items
  }

  #end(): void {
    this.isOver = true
    this.#watch.stop()
    this.response.cancel(this.failure ?? new Error('The results are complete'))
  }
}
