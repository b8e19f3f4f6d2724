import type { Usage } from '../../../protocol/types/message.ts'
import type { StreamedEvent } from '../events/message-events.ts'
import type { HandedOutMessage } from './splice.ts'
import { replaceUsage } from './usage.ts'

/** The events of a first response that are handed out as they arrive, whatever their blocks. */
export class UnheldEvents {
  readonly #handedOut: HandedOutMessage
  #usage: Usage | undefined
  /** Whether a block other than text has begun and not ended. It cannot be continued. */
  isInsideBlock = false

  constructor(handedOut: HandedOutMessage) {
    this.#handedOut = handedOut
  }

  get usage(): Usage | undefined {
    return this.#usage
  }

  /** Returns the event in a list. */
  take(event: StreamedEvent): StreamedEvent[] {
    if (event.type !== 'content_block_delta') this.#note(event)
    return [event]
  }

  #note(event: StreamedEvent): void {
    if (event.type === 'message_start') this.#usage = event.message.usage
    else if (event.type === 'message_delta') this.#usage = replaceUsage(this.#usage, event.usage)
    if (event.type === 'content_block_start') {
      const isText = event.content_block.type === 'text'
      this.isInsideBlock = !isText
      this.#handedOut.openText = isText ? event.index : undefined
    } else if (event.type === 'content_block_stop' || event.type === 'message_delta') {
      this.isInsideBlock = false
      this.#handedOut.openText = undefined
    }
  }
}
