import type { ContentBlockDelta, MessageStreamEvent } from '../../protocol/types/event.ts'
import type { ContentBlock } from '../../protocol/types/message.ts'
import { newId } from '../id.ts'

type Open = { type: 'text' | 'thinking' | 'tool_use'; length: number }

/**
 * For engines: writes the events of a reply's blocks. A block is opened by its first content, so none is empty, and closed when
 * another kind of content comes.
 *
 * @example
 * ```ts
 * import { BlockWriter } from 'colloquy/engines'
 *
 * const writer = new BlockWriter()
 * const events = [...writer.thinking('Hm.'), ...writer.text('Hello'), ...writer.text(' there.'), ...writer.end()]
 * console.log(events.filter(({ type }) => type === 'content_block_start').length) // 2
 * ```
 */
export class BlockWriter {
  #index = -1
  #open: Open | undefined
  /** White space at the beginning of a text, which alone would be a text block that the API refuses. */
  #blank = '';

  /** The events of a piece of text. */
  *text(text: string): Generator<MessageStreamEvent> {
    if (this.#open?.type !== 'text') {
      this.#blank += text
      if (this.#blank.trim() === '') return
      const first = this.#blank
      this.#blank = ''
      yield* this.#start('text', { type: 'text', text: '', citations: null })
      yield this.#delta({ type: 'text_delta', text: first })
      return
    }
    if (text !== '') yield this.#delta({ type: 'text_delta', text })
  }

  /** The events of a piece of thinking. */
  *thinking(thinking: string): Generator<MessageStreamEvent> {
    if (thinking === '') return
    if (this.#open?.type !== 'thinking')
      yield* this.#start('thinking', { type: 'thinking', thinking: '', signature: '' })
    this.#open!.length += thinking.length
    yield this.#delta({ type: 'thinking_delta', thinking })
  }

  /** The events that begin a tool call. @param id default: a new one. */
  *call(name: string, id: string = newId('toolu_01')): Generator<MessageStreamEvent> {
    const block: ContentBlock = { type: 'tool_use', id, name, input: {} }
    yield* this.#start('tool_use', block)
  }

  /** The events of a piece of a tool input. */
  *input(json: string): Generator<MessageStreamEvent> {
    if (json !== '') yield this.#delta({ type: 'input_json_delta', partial_json: json })
  }

  /** Closes the open block. */
  *end(): Generator<MessageStreamEvent> {
    if (this.#open === undefined) return
    // The API needs a signature to take thinking back. Ours stands for the length: the server has nothing to verify.
    const { type, length } = this.#open
    if (type === 'thinking') yield this.#delta({ type: 'signature_delta', signature: btoa(`colloquy:${length}`) })
    this.#open = undefined
    yield { type: 'content_block_stop', index: this.#index }
  }

  *#start(type: Open['type'], block: ContentBlock): Generator<MessageStreamEvent> {
    yield* this.end()
    this.#blank = ''
    this.#open = { type, length: 0 }
    yield { type: 'content_block_start', index: ++this.#index, content_block: block }
  }

  #delta(delta: ContentBlockDelta): MessageStreamEvent {
    return { type: 'content_block_delta', index: this.#index, delta }
  }
}
