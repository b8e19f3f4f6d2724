export { readLines, writeLine } from './lines.ts'
export { readEvents, readRawEvents } from './server-sent-events.ts'
export { tee } from './tee.ts'
