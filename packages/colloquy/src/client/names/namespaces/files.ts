// `Anthropic.Files`. Declarations only: at run time this module is empty.
import type { Files } from '../../resources/files.ts'

export type * from '../files.ts'

/** The methods of `client.files`, to be replaced in tests. @public */
export declare const prototype: Files
