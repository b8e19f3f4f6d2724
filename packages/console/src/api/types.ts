// The bodies of the API, as the server declares them.
export type * from '../../../server/src/conversations/api.ts'
export type { Shelf } from 'colloquy/conversation'
