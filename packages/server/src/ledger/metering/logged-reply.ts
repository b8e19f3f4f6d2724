import type { MessageStreamEvent, PingEvent } from 'colloquy/protocol'
import { errorAnswer } from '../../messages/error-answer.ts'
import type { RequestLog } from '../../operate/request-log.ts'

type Events = AsyncIterable<MessageStreamEvent | PingEvent>

/**
 * The events of a reply that is not sent over HTTP. The log is told of them and of the end, as of a reply that a server streams.
 *
 * @param signal tells that the reader of the reply has left.
 */
export async function* loggedReply(
  events: Events,
  log: RequestLog,
  signal: AbortSignal | undefined,
): AsyncGenerator<MessageStreamEvent | PingEvent> {
  log.streaming()
  let hasBegun = false
  let isOver = false
  try {
    for await (const event of events) {
      hasBegun = true
      log.sent(event)
      // A conversation does not read on after the last event.
      isOver = event.type === 'message_stop'
      yield event
    }
    isOver = true
  } catch (error) {
    isOver = true
    if (signal?.aborted) log.clientLeft()
    else {
      log.failed(error)
      // A server answers with the status of the error if it has sent nothing.
      if (!hasBegun) log.responded(errorAnswer(error, log.requestId).status)
    }
    throw error
  } finally {
    // The caller stopped reading.
    if (!isOver) log.clientLeft()
    log.streamEnded()
  }
}
