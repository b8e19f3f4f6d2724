import type { EventCollector, StreamedEvent } from '../../client/stream/events/message-decoder.ts'
import {
  deltaTexts,
  malformed,
  objectOf,
  outOfOrder,
  startedBlock,
  startedMessage,
  stringOf,
} from '../../protocol/codec/event-values.ts'
import type { ContentBlockDelta, MessageStartEvent } from '../../protocol/types/event.ts'

/**
 * Checks the form and the order of events as `MessageAccumulator` does, and keeps nothing of them: a server that passes them on
 * would hold the text of each open stream.
 */
export class EventChecker implements EventCollector {
  readonly message = undefined
  isWhole = false
  #isStarted = false

  push(event: StreamedEvent): void {
    if (event.type === 'message_start') return this.#start(event)
    if (!following.has(event.type)) return
    if (!this.#isStarted) throw outOfOrder(event, '"message_start"')
    this.isWhole ||= event.type === 'message_stop'
    check(event)
  }

  #start(event: MessageStartEvent): void {
    if (this.#isStarted) throw outOfOrder(event, 'receiving "message_stop"')
    startedMessage(event.message)
    this.#isStarted = true
  }
}

/** The events that follow a `message_start`. Others, which are unknown or pings, may come at any time. */
const following = new Set<string>([
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
])

function check(event: StreamedEvent): void {
  switch (event.type) {
    case 'content_block_delta':
      checkIndex(event)
      return checkDelta(event.delta)
    case 'content_block_start':
      checkIndex(event)
      startedBlock(event.content_block)
      return
    case 'content_block_stop':
      return checkIndex(event)
    case 'message_delta':
      if (event.delta != null) objectOf(event.delta, 'message_delta', 'delta')
      if (event.usage != null) objectOf(event.usage, 'message_delta', 'usage')
  }
}

function checkIndex({ type, index }: { type: string; index: number }): void {
  if (!Number.isInteger(index)) throw malformed(type, 'index', 'a whole number', index)
}

function checkDelta(delta: ContentBlockDelta): void {
  if (typeof delta?.type !== 'string') throw malformed('content_block_delta', 'delta', 'an object with a type', delta)
  const field = deltaTexts[delta.type]
  if (field !== undefined) stringOf(Reflect.get(delta, field), 'content_block_delta', `delta.${field}`)
  else if (delta.type === 'citations_delta') objectOf(delta.citation, 'content_block_delta', 'delta.citation')
  else if (delta.type === 'compaction_delta' && delta.content != null)
    stringOf(delta.content, 'content_block_delta', 'delta.content')
}
