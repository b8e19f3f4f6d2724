// Only types: at run time this module is empty, and stands for what it names.
export type * from './types.ts'
export type * from './beta-types.ts'
export type * as Messages from './beta-types.ts'
