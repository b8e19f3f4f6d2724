// The code that only streams and `client.post()` and its neighbours need, in one module that is loaded with the first of them.
export { eventsOf, parsedEvents, readableEvents, readEvents, resumingEvents } from './events/events-of.ts'
export { deliver, textOf } from './delivery.ts'
export { collectMessage, openEvents } from './events/response-events.ts'
export { readAny } from './read-any.ts'
