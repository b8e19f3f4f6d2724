import type { MessageStreamEvent } from '../../../protocol/types/event.ts'
import type { TurnEvent } from './turn-event.ts'

/**
 * A place in the stream of a reply: between two of its events, or within a run of deltas. It does not depend on how the text
 * is cut into deltas, which the journal of a reply joins, so it is valid in every process. `end`: after the `step_end`.
 */
export type Position = { reply: string; end: true } | { reply: string; events: number; characters: number; end?: false }

/** The place after an event. A `turn_end` has none of its own. */
export function after(position: Position | undefined, event: TurnEvent): Position | undefined {
  if (event.type === 'step_start') return { reply: event.messageId, events: 0, characters: 0 }
  if (position === undefined || event.type === 'turn_end') return position
  if (event.type === 'step_end') return { reply: position.reply, end: true }
  if (position.end) return position
  const { reply, events, characters } = position
  const text = growingText(event)
  if (text !== undefined) return { reply, events, characters: characters + text.length }
  return { reply, events: events + 1, characters: 0 }
}

/** Encodes a place as the id of a server-sent event, such as `4.2.11`. */
export function encodePosition(position: Position): string {
  return position.end ? `${position.reply}.end` : `${position.reply}.${position.events}.${position.characters}`
}

/** The inverse of `encodePosition`. Undefined for any other text. */
export function decodePosition(id: string): Position | undefined {
  const [, reply, end, events, characters] = /^([1-9]\d{0,15})\.(?:(end)|(\d{1,15})\.(\d{1,15}))$/.exec(id) ?? []
  if (reply === undefined) return undefined
  return end ? { reply, end: true } : { reply, events: Number(events), characters: Number(characters) }
}

/**
 * The part of an event that comes after a place.
 *
 * @param before the place where the event begins, in the same reply.
 */
export function partAfter(before: Position, event: TurnEvent, place: Position): TurnEvent | undefined {
  if (place.end) return undefined
  if (before.end || event.type === 'step_end') return event
  if (event.type === 'step_start') return undefined
  if (before.events !== place.events) return before.events > place.events ? event : undefined
  const seen = place.characters - before.characters
  const text = growingText(event)
  if (text === undefined || seen <= 0) return event
  return seen >= text.length ? undefined : withoutStart(event as MessageStreamEvent, seen)
}

const growing = ['text', 'thinking', 'partial_json'] as const

/** The text that a delta adds to its block; undefined if it is another event. */
function growingText(event: TurnEvent): string | undefined {
  if (event.type !== 'content_block_delta') return undefined
  const delta = event.delta as unknown as Record<string, unknown>
  const name = growing.find((each) => typeof delta[each] === 'string')
  return name && (delta[name] as string)
}

function withoutStart(event: MessageStreamEvent, characters: number): TurnEvent {
  if (event.type !== 'content_block_delta') return event
  const delta = event.delta as unknown as Record<string, unknown>
  const name = growing.find((each) => typeof delta[each] === 'string')!
  return { ...event, delta: { ...event.delta, [name]: (delta[name] as string).slice(characters) } }
}
