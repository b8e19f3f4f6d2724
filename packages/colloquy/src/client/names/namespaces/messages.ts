// `Anthropic.Messages`. Declarations only: at run time this module is empty.
import type { Messages } from '../../resources/messages.ts'

export type * from '../../types.ts'

/** The methods of `client.messages`, to be replaced in tests. @public */
export declare const prototype: Messages
