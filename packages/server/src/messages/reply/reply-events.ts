import type { MessageStreamEvent, PingEvent } from 'colloquy/protocol'

/** An event of a reply, as an engine yields it. */
export type ReplyEvent = MessageStreamEvent | PingEvent
export type ReplyEvents = AsyncIterable<ReplyEvent>
