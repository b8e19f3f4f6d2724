// The code that only streams need, in one module that is loaded with the first stream.
export { eventsOf, parsedEvents, readableEvents, readEvents, resumingEvents } from './events/events-of.ts'
export { deliver, textOf } from './delivery.ts'
export { collectMessage, openEvents } from './events/response-events.ts'
