// What only streams need, in one module that is loaded with the first stream.
export { emitEvent } from './emit-event.ts'
export { collectMessage, openEvents } from './response-events.ts'
