import { accumulate } from 'colloquy/protocol'
import type { RequestLog } from '../../operate/request-log.ts'
import { encodedReply } from './encoded-reply.ts'
import { ExactMessage } from './exact-message.ts'
import { fillMessage } from './fill-defaults.ts'
import type { ReplyEvent, ReplyEvents } from './reply-events.ts'

/** Reads events to their end, and returns the JSON of their message. Logs each event. */
export async function wholeReply(events: ReplyEvents, log: RequestLog): Promise<string> {
  const exact = new ExactMessage()
  const message = await accumulate(logged(events, log, exact))
  return encodedReply(() => exact.encode(fillMessage(message)))
}

async function* logged(events: ReplyEvents, log: RequestLog, exact: ExactMessage): AsyncGenerator<ReplyEvent> {
  for await (const event of events) {
    log.sent(event)
    exact.push(event)
    yield event
  }
}
