// `Anthropic.Beta` for TypeScript. At run time it is the class of the resource.
import type * as beta from '../../resources/beta.ts'
import type * as files from '../../resources/files.ts'
import type * as models from '../../resources/models.ts'

export type * from '../../types.ts'
export type * from '../beta/index.ts'
/** @public */
export {
  BetaOrganizationNotEnrolledInBetaError,
  BetaRequestBodyTimeoutError,
  BetaUnsupportedCharsetError,
} from '../../request/codes/code-errors.ts'

/** The methods of `client.beta`, to be replaced in tests. @public */
export declare const prototype: beta.Beta

// Each is the type of a resource and a namespace with the names of its types.
/** The methods of `beta.messages`. @public */
export type Messages = beta.BetaMessages
export * as Messages from './beta-messages.ts'
/** The methods of `beta.files`. @public */
export type Files = files.Files
export type * as Files from '../beta/files.ts'
/** The methods of `beta.models`. @public */
export type Models = models.Models
export type * as Models from '../beta/models.ts'
