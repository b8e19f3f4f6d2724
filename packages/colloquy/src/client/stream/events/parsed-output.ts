import {
  type ParseableParams,
  type ParsedMessage,
  type ParsedOf,
  outputFormatOf,
  parseMessage as parse,
} from '../../../protocol/json/parsed-message.ts'
import type { Message } from '../../../protocol/types/message.ts'
import type { Log } from '../../request/log.ts'
import { type MessageEvents, observeEvents } from './message-events.ts'

/** Parses the text of a reply. Reading the older name of a block's `parsed_output` logs a warning. */
export function parseMessage<Params extends Partial<ParseableParams>>(
  message: Message,
  params: Params,
  log: Log,
): ParsedMessage<ParsedOf<Params>> {
  return parse(message, params ?? {}, {
    onDeprecated: () =>
      log('warn')?.('The `parsed` property on `text` blocks is deprecated, please use `parsed_output` instead.'),
  })
}

/**
 * Gives the complete message the value of its text, if the request's output format has a `parse` function. A text that is
 * not valid fails the stream after its last event.
 */
export function withParsedOutput(source: MessageEvents, params: Partial<ParseableParams>, log: Log): MessageEvents {
  if (!('parse' in (outputFormatOf(params) ?? {}))) return source
  return observeEvents(source, { onComplete: (message) => parseMessage(message, params, log) })
}
