import { after, partAfter, type Position } from './position.ts'
import type { TurnEvent } from './turn-event.ts'

/** An event and the place behind it. */
export interface PlacedEvent {
  event: TurnEvent
  /** Undefined before the first step. */
  position: Position | undefined
}

/** The events of a turn after a place; without one, all of them. The steps before the place's reply are left out. */
export async function* eventsAfter(
  events: AsyncIterable<TurnEvent>,
  place: Position | undefined,
): AsyncGenerator<PlacedEvent> {
  let position: Position | undefined
  let isReached = place === undefined
  for await (const event of events) {
    const before = position
    position = after(position, event)
    if (place === undefined || event.type === 'turn_end') yield { event, position }
    else if (position?.reply !== place.reply) {
      if (isReached) yield { event, position }
    } else {
      isReached = true
      const part = before && partAfter(before, event, place)
      if (part !== undefined) yield { event: part, position }
    }
  }
}
