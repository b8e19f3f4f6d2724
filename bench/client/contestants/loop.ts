import type { Contestant, HistoryMessage } from '../contestant.ts'
import { maxTokens, model, question } from '../contestant.ts'

/** Sends a request for a hand-written loop. Rejects if the response is not a success, or breaks off. */
export interface Ask {
  /** Calls back with each piece of the body. Rejects with what the callback throws. */
  stream(body: string, receive: (text: string) => void): Promise<void>
  whole(body: string): Promise<string>
  /** Opens a stream, and resolves with its connection after three deltas. */
  open(body: string): Promise<object>
}

/**
 * The loop of a program without a client. It does what every correct reader must: it parses each event, hands it to a
 * `for await` loop or adds it to the message, throws the API's errors, and notices a stream that ends early. It leaves out
 * what the API does not send (other line ends, data of several lines), retries, timeouts and abort signals.
 */
export function handLoop(ask: Ask): Contestant {
  return {
    async iterate() {
      let characters = 0
      for await (const { delta } of new Events(ask, {})) characters += delta?.text?.length ?? 0
      return characters
    },
    async finalMessage() {
      return (await finalMessage(ask, {}, () => {}))[0]!.text!.length
    },
    async toolInput() {
      let characters = 0
      const content = await finalMessage(ask, { tools: [] }, ({ partial_json: piece = '' }) => {
        characters += piece.length
      })
      return { characters, rows: (content[0]!.input as { rows: unknown[] }).rows.length }
    },
    async iterateToolInput() {
      let characters = 0
      for await (const { delta } of new Events(ask, { tools: [] })) characters += delta?.partial_json?.length ?? 0
      return characters
    },
    async create(messages) {
      const { content } = JSON.parse(await ask.whole(bodyOf({ messages }))) as { content: { text: string }[] }
      return content[0]!.text.length
    },
    async open(messages) {
      return ask.open(bodyOf({ messages, stream: true }))
    },
  }
}

interface StreamEvent {
  type: string
  index?: number
  delta?: Delta
  content_block?: Block
}

interface Delta {
  type?: string
  text?: string
  partial_json?: string
}

interface Block {
  text?: string
  input?: unknown
}

/** Calls back with each event until the stream is complete. */
async function eachEvent(ask: Ask, params: object, take: (event: StreamEvent) => void): Promise<void> {
  let rest = ''
  let isComplete = false
  await ask.stream(bodyOf({ ...params, messages: question, stream: true }), (text) => {
    const parts = (rest + text).split('\n\n')
    rest = parts.pop()!
    for (const part of parts) {
      const event = JSON.parse(part.slice(part.indexOf('data: ') + 6)) as StreamEvent
      if (event.type === 'error') throw new Error(part)
      if (event.type === 'message_stop') isComplete = true
      take(event)
    }
  })
  if (!isComplete) throw new Error('The stream ended early')
}

/** The content of the message. */
async function finalMessage(ask: Ask, params: object, onDelta: (delta: Delta) => void): Promise<Block[]> {
  const content: Block[] = []
  const inputs: string[] = []
  await eachEvent(ask, params, ({ type, index = 0, delta, content_block }) => {
    if (type === 'content_block_start') content[index] = { ...content_block }
    else if (type === 'content_block_delta') {
      if (delta!.type === 'text_delta') content[index]!.text! += delta!.text!
      else if (delta!.type === 'input_json_delta') inputs[index] = (inputs[index] ?? '') + delta!.partial_json!
      onDelta(delta!)
    } else if (type === 'content_block_stop' && inputs[index]) content[index]!.input = JSON.parse(inputs[index])
  })
  return content
}

/** The events of a stream for a `for await` loop: one promise for each. */
class Events implements AsyncIterableIterator<StreamEvent> {
  #arrived: StreamEvent[] = []
  #taken = 0
  #waiting: { resolve: (result: IteratorResult<StreamEvent>) => void; reject: (error: Error) => void } | undefined
  /** The end of the stream, once it has arrived: undefined, or why it failed. */
  #end: { failure: Error | undefined } | undefined

  constructor(ask: Ask, params: object) {
    eachEvent(ask, params, (event) => this.#push(event)).then(
      () => this.#finish(undefined),
      (error: Error) => this.#finish(error),
    )
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<StreamEvent>> {
    if (this.#taken < this.#arrived.length) {
      const value = this.#arrived[this.#taken++]!
      if (this.#taken === this.#arrived.length) {
        this.#arrived = []
        this.#taken = 0
      }
      return Promise.resolve({ value, done: false })
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      if (this.#end) this.#finish(this.#end.failure)
    })
  }

  #push(event: StreamEvent): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting) waiting.resolve({ value: event, done: false })
    else this.#arrived.push(event)
  }

  #finish(failure: Error | undefined): void {
    this.#end = { failure }
    if (failure) this.#waiting?.reject(failure)
    else this.#waiting?.resolve({ value: undefined, done: true })
  }
}

function bodyOf(params: { messages: readonly HistoryMessage[]; [name: string]: unknown }): string {
  return JSON.stringify({ model, max_tokens: maxTokens, ...params })
}

/** The headers that the API requires. */
export const headers = { 'content-type': 'application/json', 'x-api-key': 'key', 'anthropic-version': '2026-10-21' }

export function hasThreeDeltas(text: string): boolean {
  return text.split('event: content_block_delta').length > 3
}
