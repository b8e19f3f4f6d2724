import type { Message } from 'colloquy/protocol'
import type { ReplyEvent } from './reply-events.ts'

/** Adds the fields that API version 2026-10-21 has and the engine left out, as null or their default. */
export function fillMessage(message: Message): Message {
  const { usage } = message
  return {
    ...message,
    stop_reason: message.stop_reason ?? null,
    stop_sequence: message.stop_sequence ?? null,
    stop_details: message.stop_details ?? null,
    container: message.container ?? null,
    diagnostics: message.diagnostics ?? null,
    usage: {
      ...usage,
      cache_creation_input_tokens: usage.cache_creation_input_tokens ?? 0,
      cache_read_input_tokens: usage.cache_read_input_tokens ?? 0,
      cache_creation: usage.cache_creation ?? null,
      output_tokens_details: usage.output_tokens_details ?? null,
      server_tool_use: usage.server_tool_use ?? null,
      service_tier: usage.service_tier ?? 'standard',
      inference_geo: usage.inference_geo ?? null,
      speed: usage.speed ?? null,
    },
  }
}

/** Applies `fillMessage` to the message that a `message_start` event carries. */
export function fillEvent(event: ReplyEvent): ReplyEvent {
  return event.type === 'message_start' ? { ...event, message: fillMessage(event.message) } : event
}
