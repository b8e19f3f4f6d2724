// `Anthropic.Messages` for TypeScript. At run time it is the class of the resource.
import type { Messages } from '../../resources/messages.ts'

export type * from '../../types.ts'
/** @public */
export {
  AvailableToolsLimitExceededError,
  CompactionBlockAmbiguousError,
  CompactionBlockMisplacedError,
  CompactionContentMismatchError,
  CompactionIncompleteTurnError,
  CompactionNothingToSummarizeError,
  CompactionSignatureInvalidError,
  CompactionTooManyToolReferencesError,
  CompactionToolChangesMismatchError,
  CompactionUnavailableError,
  ImageDimensionsTooLargeError,
  ThreadAlreadyContinuedError,
  ThreadContinueInFlightError,
  ThreadFingerprintMismatchError,
  ThreadNotFoundError,
  ThreadUnsupportedRequestError,
  ToolNameConflictError,
  ToolReferenceUnresolvedError,
} from '../../request/codes/code-errors.ts'

/** The methods of `client.messages`, to be replaced in tests. @public */
export declare const prototype: Messages
