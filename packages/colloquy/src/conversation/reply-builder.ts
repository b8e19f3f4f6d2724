import { MessageAccumulator } from '../protocol/accumulate.ts'
import type { MessageStreamEvent } from '../protocol/event.ts'
import type { ContentBlock, Message } from '../protocol/message.ts'

/** A block of a reply as it arrived. */
export interface ArrivedBlock {
  block: ContentBlock
  /** The JSON text of a tool input, exactly as the model wrote it. Undefined where none was streamed. */
  input: string | undefined
  /** Its end was seen. */
  ended: boolean
}

/**
 * Puts a reply together so that it can be kept exactly: a tool's input stays the text that the model wrote, with its
 * spaces, its order of keys and its large numbers, which parsing would change.
 */
export class ReplyBuilder {
  readonly #accumulator = new MessageAccumulator()
  readonly #prefill: readonly ContentBlock[]
  readonly #arrived = new Map<number, ArrivedBlock>()

  /** @param prefill the beginning of the reply where this one continues it: text goes on in the last of these blocks. */
  constructor(prefill: readonly ContentBlock[] = []) {
    this.#prefill = prefill
  }

  push(event: MessageStreamEvent): void {
    this.#accumulator.push(event)
    if (event.type === 'content_block_start') {
      const block = this.#accumulator.message!.content.at(-1)!
      this.#arrived.set(event.index, { block, input: undefined, ended: false })
    } else if (event.type === 'content_block_delta' && event.delta.type === 'input_json_delta') {
      const arrived = this.#arrived.get(event.index)
      if (arrived) arrived.input = (arrived.input ?? '') + event.delta.partial_json
    } else if (event.type === 'content_block_stop') {
      const arrived = this.#arrived.get(event.index)
      if (arrived) arrived.ended = true
    }
  }

  /** `message_stop` was seen. */
  get isWhole(): boolean {
    return this.#accumulator.isWhole
  }

  /** The message so far; undefined before it began. It grows in place. */
  get message(): Message | undefined {
    const { message } = this.#accumulator
    return message && { ...message, content: this.blocks.map(({ block }) => block) }
  }

  /** What the model wrote now, without the beginning that it continues. */
  get arrived(): ContentBlock[] {
    return [...this.#arrived.values()].map(({ block }) => block)
  }

  get blocks(): ArrivedBlock[] {
    const arrived = [...this.#arrived.values()]
    const before = this.#prefill.map((block): ArrivedBlock => ({ block, input: undefined, ended: true }))
    const last = before.at(-1)?.block
    const first = arrived[0]?.block
    if (last?.type !== 'text' || first?.type !== 'text') return [...before, ...arrived]
    const joined = { ...arrived[0]!, block: { ...first, text: last.text + first.text } }
    return [...before.slice(0, -1), joined, ...arrived.slice(1)]
  }
}

/** The block as JSON, a tool input as it was written. One that is no whole object stands beside an empty one, as text. */
export function blockJson({ block, input }: ArrivedBlock): string {
  if (input === undefined || input === '') return JSON.stringify(block)
  const isWhole = isObject(input)
  const fields = isWhole ? block : { ...block, input: {}, partial_json: input }
  const members = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${JSON.stringify(key)}:${isWhole && key === 'input' ? input : JSON.stringify(value)}`)
  return `{${members.join(',')}}`
}

/** Whether the input can be sent back: a JSON object, or nothing, which stands for an empty one. */
export function isWholeInput(input: string | undefined): boolean {
  return input === undefined || input === '' || isObject(input)
}

function isObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
