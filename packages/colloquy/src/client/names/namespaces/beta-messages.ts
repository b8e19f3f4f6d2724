// `Anthropic.Beta.Messages`. Declarations only: at run time this module is empty.
import type { BetaMessages } from '../../resources/beta.ts'

export type * from '../beta/index.ts'

/** The methods of `client.beta.messages`, to be replaced in tests. @public */
export declare const prototype: BetaMessages
