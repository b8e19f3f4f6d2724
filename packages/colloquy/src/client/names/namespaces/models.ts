// `Anthropic.Models`. Declarations only: at run time this module is empty.
import type { Models } from '../../resources/models.ts'

export type * from '../models.ts'

/** The methods of `client.models`, to be replaced in tests. @public */
export declare const prototype: Models
