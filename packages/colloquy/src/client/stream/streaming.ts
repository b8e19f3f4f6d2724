// The code that only streams need, in one module that is loaded with the first stream.
export { sourceStream } from './source-stream.ts'
export { deliver, textOf } from './delivery.ts'
export { collect, collectMessage, openEvents } from './events/response-events.ts'
