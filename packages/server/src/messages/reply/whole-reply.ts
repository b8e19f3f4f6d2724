import { accumulate, type MessageStreamEvent, type PingEvent } from 'colloquy/protocol'
import type { RequestLog } from '../../operate/request-log.ts'
import { encodedReply } from './encoded-reply.ts'
import { ExactMessage } from './exact-message.ts'
import { fillMessage } from './fill-defaults.ts'

export type Events = AsyncIterable<MessageStreamEvent | PingEvent>

/** Reads events to their end, and returns the JSON of their message. Logs each event. */
export async function wholeReply(events: Events, log: RequestLog): Promise<string> {
  const exact = new ExactMessage()
  const message = await accumulate(logged(events, log, exact))
  return encodedReply(() => exact.encode(fillMessage(message)))
}

async function* logged(
  events: Events,
  log: RequestLog,
  exact: ExactMessage,
): AsyncGenerator<MessageStreamEvent | PingEvent> {
  for await (const event of events) {
    log.sent(event)
    exact.push(event)
    yield event
  }
}
