import { AnthropicError, APIUserAbortError } from '../../protocol/types/error.ts'
import type { ContentBlockDeltaEvent, MessageStreamEvent } from '../../protocol/types/event.ts'
import type { ContentBlock, Message } from '../../protocol/types/message.ts'
import type { Unlisted } from '../../protocol/types/unlisted.ts'
import type { EventQueue } from './event-queue.ts'
import { blockAt } from '../../protocol/codec/event-values.ts'
import type { MessageEvents } from './events/message-events.ts'
import type { Listeners } from './listeners.ts'

/** The readers of a stream. */
export interface Audience {
  queues: ReadonlySet<EventQueue<MessageStreamEvent>>
  listeners: Listeners
  /** Called with the complete message, when `message_stop` has been handed out. */
  onMessage: (message: Message) => void
}

/** Delivers the events of a message until it is complete. */
export function deliver(source: MessageEvents, { queues, listeners, onMessage }: Audience): Promise<void> {
  return source.forEach((event) => {
    // A reply that is only awaited has thousands of events that need no work.
    if (queues.size === 0 && !listeners.isUsed && event.type !== 'message_stop') return false
    if (event.type === 'ping') listeners.emit('ping')
    else {
      for (const queue of queues) queue.push(event)
      // Reading the message parses tool inputs piece by piece, so only listeners pay for it.
      if (listeners.isUsed) tellListeners(listeners, queues, event, source.message)
      if (event.type === 'message_stop') onMessage(source.message!)
    }
    if (source.failure instanceof APIUserAbortError) throw source.failure
    // A loop over the stream must see the message as it was after its event, also if more events arrived together.
    // A program that awaits `emitted()` several times must get one event after another.
    return queues.size > 0 || listeners.isUsed
  })
}

function tellListeners(
  listeners: Listeners,
  queues: Audience['queues'],
  event: MessageStreamEvent,
  message: Message | undefined,
): void {
  if (!message) return
  emitEvent(listeners, event, message)
  if (listeners.has('delivered'))
    listeners.emit('delivered', event, message, (callback) => afterReaders(queues, callback))
}

/** Calls back when the readers of all queues have handled the events so far. A reader that leaves ends the stream instead. */
function afterReaders(queues: Audience['queues'], callback: () => void): void {
  let behind = queues.size
  if (behind === 0) return queueMicrotask(callback)
  for (const queue of queues)
    queue.whenHandled(() => {
      behind--
      if (behind === 0) callback()
    })
}

/** Emits an event of the message, then what it adds to the message. */
function emitEvent(listeners: Listeners, event: MessageStreamEvent, message: Message): void {
  listeners.emit('streamEvent', event, message)
  if (event.type === 'content_block_delta') emitDelta(listeners, event, blockAt(message, event.index))
  else if (event.type === 'content_block_stop') {
    const block = blockAt(message, event.index)
    if (block) listeners.emit('contentBlock', block)
  }
}

function emitDelta(listeners: Listeners, { delta }: ContentBlockDeltaEvent, block: ContentBlock | undefined): void {
  switch (delta.type) {
    case 'text_delta':
      if (block?.type === 'text') listeners.emit('text', delta.text, block.text)
      return
    case 'citations_delta':
      if (block?.type === 'text') listeners.emit('citation', delta.citation, block.citations ?? [])
      return
    case 'thinking_delta':
      if (block?.type === 'thinking') listeners.emit('thinking', delta.thinking, block.thinking)
      return
    case 'signature_delta':
      if (block?.type === 'thinking') listeners.emit('signature', block.signature)
      return
    case 'input_json_delta':
      if (block && 'input' in block) listeners.emit('inputJson', delta.partial_json, block.input)
      return
    case 'compaction_delta':
      if (block?.type === 'compaction' && block.content) listeners.emit('compaction', block.content)
      return
    default:
      // Fails to compile when a listed delta has no case.
      delta satisfies Unlisted
  }
}

/** The text of a message; several text blocks are joined with a space. Throws if it has none. */
export function textOf({ content }: Message): string {
  const texts = content.flatMap((block) => (block.type === 'text' ? [block.text] : []))
  if (texts.length === 0) {
    const found = content.map((block) => block.type).join(', ') || 'no content'
    throw new AnthropicError(`Cannot give the final text as the message has no text block: found ${found}`)
  }
  return texts.join(' ')
}
