import { type ParseableParams, outputFormatOf, parseMessage } from '../../../protocol/json/parsed-message.ts'
import { type MessageEvents, observeEvents } from './message-events.ts'

/**
 * Gives the complete message the value of its text, if the request's output format has a `parse` function. A text that is
 * not valid fails the stream after its last event.
 */
export function withParsedOutput(source: MessageEvents, params: Partial<ParseableParams>): MessageEvents {
  if (!('parse' in (outputFormatOf(params) ?? {}))) return source
  return observeEvents(source, { onComplete: (message) => parseMessage(message, params) })
}
