import { type Message, partialInput, receivedJson } from 'colloquy/protocol'
import type { ReplyEvent } from './reply-events.ts'

/** Keeps the JSON texts of a streamed reply, so that its message can be encoded without changing numbers or keys. */
export class ExactMessage {
  /** By position in the content: the text of the block as it began, and the text of its input. */
  readonly #blocks: { start: string | undefined; input: string; isChanged: boolean }[] = []
  readonly #positions = new Map<number, number>()

  push(event: ReplyEvent): void {
    if (event.type === 'content_block_start') {
      this.#positions.set(event.index, this.#blocks.length)
      this.#blocks.push({ start: blockJson(receivedJson(event)), input: '', isChanged: false })
    } else if (event.type === 'content_block_delta') {
      const block = this.#blocks[this.#positions.get(event.index) ?? -1]
      if (!block) return
      block.isChanged = true
      if (event.delta.type === 'input_json_delta') block.input += event.delta.partial_json
    }
  }

  /** The JSON of the message that these events make. */
  encode(message: Message): string {
    const blocks = message.content.map((block, position) => {
      const { start, input, isChanged } = this.#blocks[position] ?? { start: undefined, input: '', isChanged: true }
      if (start !== undefined && !isChanged) return start
      if (input === '' || partialInput(block) !== undefined) return JSON.stringify(block)
      return encodeWith(block, 'input', input)
    })
    return encodeWith(message, 'content', `[${blocks.join(',')}]`)
  }
}

/** The JSON of an object in which one field has a text of its own. */
function encodeWith(value: object, field: string, json: string): string {
  const fields = Object.entries(value)
    .map(([key, inner]) => [key, key === field ? json : JSON.stringify(inner)] as const)
    .filter(([, text]) => text !== undefined)
  return `{${fields.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`
}

/** The text of the block in the text of a `content_block_start` event, in which it is the last field. */
function blockJson(event: string | undefined): string | undefined {
  const json = event && /"content_block"\s*:\s*(\{[^]*\})\s*\}\s*$/.exec(event)?.[1]
  return json && isJson(json) ? json : undefined
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
