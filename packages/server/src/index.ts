export { type Origins, type Server, type ServerOptions, createServer } from './app.ts'
export type { Keys } from './access/auth.ts'
export type { AccessEntry } from './operate/request-log.ts'
export type * from './conversations/api.ts'
