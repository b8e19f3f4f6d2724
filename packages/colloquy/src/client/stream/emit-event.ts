import type { ContentBlockDeltaEvent, MessageStreamEvent } from '../../protocol/types/event.ts'
import type { ContentBlock, Message } from '../../protocol/types/message.ts'
import type { Unlisted } from '../../protocol/types/unlisted.ts'
import type { Listeners } from './listeners.ts'

/** Emits an event of the message, then what it adds to the message. */
export function emitEvent(listeners: Listeners, event: MessageStreamEvent, message: Message): void {
  listeners.emit('streamEvent', event, message)
  if (event.type === 'content_block_delta') emitDelta(listeners, event, message.content[event.index])
  else if (event.type === 'content_block_stop') {
    const block = message.content[event.index]
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
      return
    default:
      // Fails to compile when a listed delta has no case.
      delta satisfies Unlisted
  }
}
