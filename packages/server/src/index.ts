export { type Origins, type Server, type ServerOptions, createServer } from './app.ts'
export type { Keys } from './auth.ts'
export type { AccessEntry } from './exchange.ts'
