// Stands in for code-errors.ts in browsers: errors there have the class of their status, and the code in `errorCode`.

export const codeErrors = {}

export function classOfCode(): undefined {
  return undefined
}

export const AvailableToolsLimitExceededError = undefined
export const ClaudeCodeKeyCreatorNotMemberError = undefined
export const ClaudeCodeVersionTooOldError = undefined
export const CMEKKeyDisabledError = undefined
export const CMEKKeyNetworkBlockedError = undefined
export const CompactionBlockAmbiguousError = undefined
export const CompactionBlockMisplacedError = undefined
export const CompactionContentMismatchError = undefined
export const CompactionIncompleteTurnError = undefined
export const CompactionNothingToSummarizeError = undefined
export const CompactionSignatureInvalidError = undefined
export const CompactionToolChangesMismatchError = undefined
export const CompactionTooManyToolReferencesError = undefined
export const FileNotDownloadableError = undefined
export const ImageDimensionsTooLargeError = undefined
export const OrganizationOnHoldError = undefined
export const RequestBodyEncodingInvalidError = undefined
export const RequestBodyEncodingUnsupportedError = undefined
export const StorageQuotaExceededError = undefined
export const ThreadAlreadyContinuedError = undefined
export const ThreadContinueInFlightError = undefined
export const ThreadFingerprintMismatchError = undefined
export const ThreadUnsupportedRequestError = undefined
export const ToolNameConflictError = undefined
export const ToolReferenceUnresolvedError = undefined
export const UserProfileRequiredError = undefined
export const LinkedOrganizationBillingUnavailableError = undefined
export const LinkedOrganizationSpendLimitReachedError = undefined
export const SandboxEgressRestrictedError = undefined
export const UserProfileBillingNotAuthorizedError = undefined
export const UserProfileNotBillableError = undefined
export const FileExpiredError = undefined
export const ThreadNotFoundError = undefined
export const RequestBodyTooLargeAfterDecodingError = undefined
export const ContractSpendLimitReachedError = undefined
export const EnforcedSpendLimitReachedError = undefined
export const RampLimitExceededError = undefined
export const CMEKContextUnavailableError = undefined
export const CMEKKeyUnreachableError = undefined
export const CompactionUnavailableError = undefined
export const BetaOrganizationNotEnrolledInBetaError = undefined
export const OrganizationTypeNotSupportedError = undefined
export const ParentOrganizationRequiredError = undefined
export const BetaRequestBodyTimeoutError = undefined
export const BetaUnsupportedCharsetError = undefined
export const WorkspaceHumanReviewDisabledError = undefined
