import type { Message } from '../../protocol/types/message.ts'
import { type ParseableParams, parseMessage } from '../../protocol/json/parsed-message.ts'
import type { EventSource } from './event-source.ts'
import { forEach } from '../transport/sink.ts'

/**
 * The same events; where the output format of the parameters can parse, the whole message has the value that its text stands
 * for, and a text without one is a failure.
 */
export function parsedEvents(source: EventSource, params: Partial<ParseableParams>): EventSource {
  if (!('parse' in (params.output_config?.format ?? {}))) return source
  let parsed: Message | undefined
  let failure: Error | undefined
  return {
    get reply() {
      return source.reply
    },
    get message() {
      return parsed ?? source.message
    },
    get failure() {
      return failure ?? source.failure
    },
    cancel: (error) => source.cancel(error),
    async read() {
      if (failure) throw failure
      const events = await source.read()
      if (events?.at(-1)?.type !== 'message_stop') return events
      try {
        parsed = parseMessage(source.message!, params)
      } catch (error) {
        failure = error as Error
      }
      return events
    },
    each(take) {
      return forEach(this, take)
    },
  }
}
