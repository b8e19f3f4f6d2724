// Types only: at run time this module is empty.
export type * from './types.ts'
export type * from './beta-types.ts'
export type * as Messages from './beta-types.ts'
