// The classes of the errors that the API names in `details.error_code`. Each extends the class of its status.
import {
  BadRequestError,
  ContentTooLargeError,
  NotFoundError,
  OverloadedError,
  PaymentRequiredError,
  PermissionDeniedError,
  RateLimitError,
  ServiceUnavailableError,
  type APIError,
} from '../../../protocol/types/error.ts'
import type * as details from './details.ts'

export class AvailableToolsLimitExceededError extends BadRequestError {
  override name = 'AvailableToolsLimitExceededError'
  declare readonly errorCode: 'available_tools_limit_exceeded'
  declare readonly details: details.AvailableToolsLimitExceededErrorDetails
}
export class ClaudeCodeKeyCreatorNotMemberError extends BadRequestError {
  override name = 'ClaudeCodeKeyCreatorNotMemberError'
  declare readonly errorCode: 'claude_code_key_creator_not_member'
  declare readonly details: details.ClaudeCodeKeyCreatorNotMemberErrorDetails
}
export class ClaudeCodeVersionTooOldError extends BadRequestError {
  override name = 'ClaudeCodeVersionTooOldError'
  declare readonly errorCode: 'claude_code_version_too_old'
  declare readonly details: details.ClaudeCodeVersionTooOldErrorDetails
}
export class CMEKKeyDisabledError extends BadRequestError {
  override name = 'CMEKKeyDisabledError'
  declare readonly errorCode: 'cmek_key_disabled'
  declare readonly details: details.CMEKKeyDisabledErrorDetails
}
export class CMEKKeyNetworkBlockedError extends BadRequestError {
  override name = 'CMEKKeyNetworkBlockedError'
  declare readonly errorCode: 'cmek_key_network_blocked'
  declare readonly details: details.CMEKKeyNetworkBlockedErrorDetails
}
export class CompactionBlockAmbiguousError extends BadRequestError {
  override name = 'CompactionBlockAmbiguousError'
  declare readonly errorCode: 'compaction_block_ambiguous'
  declare readonly details: details.CompactionBlockAmbiguousErrorDetails
}
export class CompactionBlockMisplacedError extends BadRequestError {
  override name = 'CompactionBlockMisplacedError'
  declare readonly errorCode: 'compaction_block_misplaced'
  declare readonly details: details.CompactionBlockMisplacedErrorDetails
}
export class CompactionContentMismatchError extends BadRequestError {
  override name = 'CompactionContentMismatchError'
  declare readonly errorCode: 'compaction_content_mismatch'
  declare readonly details: details.CompactionContentMismatchErrorDetails
}
export class CompactionIncompleteTurnError extends BadRequestError {
  override name = 'CompactionIncompleteTurnError'
  declare readonly errorCode: 'compaction_incomplete_turn'
  declare readonly details: details.CompactionIncompleteTurnErrorDetails
}
export class CompactionNothingToSummarizeError extends BadRequestError {
  override name = 'CompactionNothingToSummarizeError'
  declare readonly errorCode: 'compaction_nothing_to_summarize'
  declare readonly details: details.CompactionNothingToSummarizeErrorDetails
}
export class CompactionSignatureInvalidError extends BadRequestError {
  override name = 'CompactionSignatureInvalidError'
  declare readonly errorCode: 'compaction_signature_invalid'
  declare readonly details: details.CompactionSignatureInvalidErrorDetails
}
export class CompactionToolChangesMismatchError extends BadRequestError {
  override name = 'CompactionToolChangesMismatchError'
  declare readonly errorCode: 'compaction_tool_changes_mismatch'
  declare readonly details: details.CompactionToolChangesMismatchErrorDetails
}
export class CompactionTooManyToolReferencesError extends BadRequestError {
  override name = 'CompactionTooManyToolReferencesError'
  declare readonly errorCode: 'compaction_too_many_tool_references'
  declare readonly details: details.CompactionTooManyToolReferencesErrorDetails
}
export class FileNotDownloadableError extends BadRequestError {
  override name = 'FileNotDownloadableError'
  declare readonly errorCode: 'file_not_downloadable'
  declare readonly details: details.FileNotDownloadableErrorDetails
}
export class ImageDimensionsTooLargeError extends BadRequestError {
  override name = 'ImageDimensionsTooLargeError'
  declare readonly errorCode: 'image_dimensions_too_large'
  declare readonly details: details.ImageDimensionsTooLargeErrorDetails
}
export class OrganizationOnHoldError extends BadRequestError {
  override name = 'OrganizationOnHoldError'
  declare readonly errorCode: 'organization_on_hold'
  declare readonly details: details.OrganizationOnHoldErrorDetails
}
export class RequestBodyEncodingInvalidError extends BadRequestError {
  override name = 'RequestBodyEncodingInvalidError'
  declare readonly errorCode: 'request_body_encoding_invalid'
  declare readonly details: details.RequestBodyEncodingInvalidErrorDetails
}
export class RequestBodyEncodingUnsupportedError extends BadRequestError {
  override name = 'RequestBodyEncodingUnsupportedError'
  declare readonly errorCode: 'request_body_encoding_unsupported'
  declare readonly details: details.RequestBodyEncodingUnsupportedErrorDetails
}
export class StorageQuotaExceededError extends BadRequestError {
  override name = 'StorageQuotaExceededError'
  declare readonly errorCode: 'storage_quota_exceeded'
  declare readonly details: details.StorageQuotaExceededErrorDetails
}
export class ThreadAlreadyContinuedError extends BadRequestError {
  override name = 'ThreadAlreadyContinuedError'
  declare readonly errorCode: 'thread_already_continued'
  declare readonly details: details.ThreadAlreadyContinuedErrorDetails
}
export class ThreadContinueInFlightError extends BadRequestError {
  override name = 'ThreadContinueInFlightError'
  declare readonly errorCode: 'thread_continue_in_flight'
  declare readonly details: details.ThreadContinueInFlightErrorDetails
}
export class ThreadFingerprintMismatchError extends BadRequestError {
  override name = 'ThreadFingerprintMismatchError'
  declare readonly errorCode: 'thread_fingerprint_mismatch'
  declare readonly details: details.ThreadFingerprintMismatchErrorDetails
}
export class ThreadUnsupportedRequestError extends BadRequestError {
  override name = 'ThreadUnsupportedRequestError'
  declare readonly errorCode: 'thread_unsupported_request'
  declare readonly details: details.ThreadUnsupportedRequestErrorDetails
}
export class ToolNameConflictError extends BadRequestError {
  override name = 'ToolNameConflictError'
  declare readonly errorCode: 'tool_name_conflict'
  declare readonly details: details.ToolNameConflictErrorDetails
}
export class ToolReferenceUnresolvedError extends BadRequestError {
  override name = 'ToolReferenceUnresolvedError'
  declare readonly errorCode: 'tool_reference_unresolved'
  declare readonly details: details.ToolReferenceUnresolvedErrorDetails
}
export class UserProfileRequiredError extends BadRequestError {
  override name = 'UserProfileRequiredError'
  declare readonly errorCode: 'user_profile_required'
  declare readonly details: details.UserProfileRequiredErrorDetails
}
export class LinkedOrganizationBillingUnavailableError extends PaymentRequiredError {
  override name = 'LinkedOrganizationBillingUnavailableError'
  declare readonly errorCode: 'linked_organization_billing_unavailable'
  declare readonly details: details.LinkedOrganizationBillingUnavailableErrorDetails
}
export class LinkedOrganizationSpendLimitReachedError extends PaymentRequiredError {
  override name = 'LinkedOrganizationSpendLimitReachedError'
  declare readonly errorCode: 'linked_organization_spend_limit_reached'
  declare readonly details: details.LinkedOrganizationSpendLimitReachedErrorDetails
}
export class SandboxEgressRestrictedError extends PermissionDeniedError {
  override name = 'SandboxEgressRestrictedError'
  declare readonly errorCode: 'sandbox_egress_restricted'
  declare readonly details: details.SandboxEgressRestrictedErrorDetails
}
export class UserProfileBillingNotAuthorizedError extends PermissionDeniedError {
  override name = 'UserProfileBillingNotAuthorizedError'
  declare readonly errorCode: 'user_profile_billing_not_authorized'
  declare readonly details: details.UserProfileBillingNotAuthorizedErrorDetails
}
export class UserProfileNotBillableError extends PermissionDeniedError {
  override name = 'UserProfileNotBillableError'
  declare readonly errorCode: 'user_profile_not_billable'
  declare readonly details: details.UserProfileNotBillableErrorDetails
}
export class FileExpiredError extends NotFoundError {
  override name = 'FileExpiredError'
  declare readonly errorCode: 'file_expired'
  declare readonly details: details.FileExpiredErrorDetails
}
export class ThreadNotFoundError extends NotFoundError {
  override name = 'ThreadNotFoundError'
  declare readonly errorCode: 'thread_not_found'
  declare readonly details: details.ThreadNotFoundErrorDetails
}
export class RequestBodyTooLargeAfterDecodingError extends ContentTooLargeError {
  override name = 'RequestBodyTooLargeAfterDecodingError'
  declare readonly errorCode: 'request_body_too_large_after_decoding'
  declare readonly details: details.RequestBodyTooLargeAfterDecodingErrorDetails
}
export class ContractSpendLimitReachedError extends RateLimitError {
  override name = 'ContractSpendLimitReachedError'
  declare readonly errorCode: 'contract_spend_limit_reached'
  declare readonly details: details.ContractSpendLimitReachedErrorDetails
}
export class EnforcedSpendLimitReachedError extends RateLimitError {
  override name = 'EnforcedSpendLimitReachedError'
  declare readonly errorCode: 'enforced_spend_limit_reached'
  declare readonly details: details.EnforcedSpendLimitReachedErrorDetails
}
export class RampLimitExceededError extends RateLimitError {
  override name = 'RampLimitExceededError'
  declare readonly errorCode: 'ramp_limit_exceeded'
  declare readonly details: details.RampLimitExceededErrorDetails
}
export class CMEKContextUnavailableError extends ServiceUnavailableError {
  override name = 'CMEKContextUnavailableError'
  declare readonly errorCode: 'cmek_context_unavailable'
  declare readonly details: details.CMEKContextUnavailableErrorDetails
}
export class CMEKKeyUnreachableError extends ServiceUnavailableError {
  override name = 'CMEKKeyUnreachableError'
  declare readonly errorCode: 'cmek_key_unreachable'
  declare readonly details: details.CMEKKeyUnreachableErrorDetails
}
export class CompactionUnavailableError extends OverloadedError {
  override name = 'CompactionUnavailableError'
  declare readonly errorCode: 'compaction_unavailable'
  declare readonly details: details.CompactionUnavailableErrorDetails
}
export class BetaOrganizationNotEnrolledInBetaError extends BadRequestError {
  override name = 'BetaOrganizationNotEnrolledInBetaError'
  declare readonly errorCode: 'organization_not_enrolled_in_beta'
  declare readonly details: details.BetaOrganizationNotEnrolledInBetaErrorDetails
}
export class OrganizationTypeNotSupportedError extends BadRequestError {
  override name = 'OrganizationTypeNotSupportedError'
  declare readonly errorCode: 'organization_type_not_supported'
  declare readonly details: details.OrganizationTypeNotSupportedErrorDetails
}
export class ParentOrganizationRequiredError extends BadRequestError {
  override name = 'ParentOrganizationRequiredError'
  declare readonly errorCode: 'parent_organization_required'
  declare readonly details: details.ParentOrganizationRequiredErrorDetails
}
export class BetaRequestBodyTimeoutError extends BadRequestError {
  override name = 'BetaRequestBodyTimeoutError'
  declare readonly errorCode: 'request_body_timeout'
  declare readonly details: details.BetaRequestBodyTimeoutErrorDetails
}
export class BetaUnsupportedCharsetError extends BadRequestError {
  override name = 'BetaUnsupportedCharsetError'
  declare readonly errorCode: 'unsupported_charset'
  declare readonly details: details.BetaUnsupportedCharsetErrorDetails
}
export class WorkspaceHumanReviewDisabledError extends BadRequestError {
  override name = 'WorkspaceHumanReviewDisabledError'
  declare readonly errorCode: 'workspace_human_review_disabled'
  declare readonly details: details.WorkspaceHumanReviewDisabledErrorDetails
}

type ErrorClass = new (
  status: never,
  error: unknown,
  message: string | undefined,
  headers: Headers | undefined,
) => APIError

/** The classes by name. */
export const codeErrors: Readonly<Record<string, ErrorClass>> = {
  AvailableToolsLimitExceededError,
  WorkspaceHumanReviewDisabledError,
  BetaUnsupportedCharsetError,
  BetaRequestBodyTimeoutError,
  ParentOrganizationRequiredError,
  OrganizationTypeNotSupportedError,
  BetaOrganizationNotEnrolledInBetaError,
  ClaudeCodeKeyCreatorNotMemberError,
  ClaudeCodeVersionTooOldError,
  CMEKKeyDisabledError,
  CMEKKeyNetworkBlockedError,
  CompactionBlockAmbiguousError,
  CompactionBlockMisplacedError,
  CompactionContentMismatchError,
  CompactionIncompleteTurnError,
  CompactionNothingToSummarizeError,
  CompactionSignatureInvalidError,
  CompactionToolChangesMismatchError,
  CompactionTooManyToolReferencesError,
  FileNotDownloadableError,
  ImageDimensionsTooLargeError,
  OrganizationOnHoldError,
  RequestBodyEncodingInvalidError,
  RequestBodyEncodingUnsupportedError,
  StorageQuotaExceededError,
  ThreadAlreadyContinuedError,
  ThreadContinueInFlightError,
  ThreadFingerprintMismatchError,
  ThreadUnsupportedRequestError,
  ToolNameConflictError,
  ToolReferenceUnresolvedError,
  UserProfileRequiredError,
  LinkedOrganizationBillingUnavailableError,
  LinkedOrganizationSpendLimitReachedError,
  SandboxEgressRestrictedError,
  UserProfileBillingNotAuthorizedError,
  UserProfileNotBillableError,
  FileExpiredError,
  ThreadNotFoundError,
  RequestBodyTooLargeAfterDecodingError,
  ContractSpendLimitReachedError,
  EnforcedSpendLimitReachedError,
  RampLimitExceededError,
  CMEKContextUnavailableError,
  CMEKKeyUnreachableError,
  CompactionUnavailableError,
}

const byCode = new Map<string, ErrorClass>([
  ['400 workspace_human_review_disabled', WorkspaceHumanReviewDisabledError],
  ['400 unsupported_charset', BetaUnsupportedCharsetError],
  ['400 request_body_timeout', BetaRequestBodyTimeoutError],
  ['400 parent_organization_required', ParentOrganizationRequiredError],
  ['400 organization_type_not_supported', OrganizationTypeNotSupportedError],
  ['400 organization_not_enrolled_in_beta', BetaOrganizationNotEnrolledInBetaError],
  ['400 available_tools_limit_exceeded', AvailableToolsLimitExceededError],
  ['400 claude_code_key_creator_not_member', ClaudeCodeKeyCreatorNotMemberError],
  ['400 claude_code_version_too_old', ClaudeCodeVersionTooOldError],
  ['400 cmek_key_disabled', CMEKKeyDisabledError],
  ['400 cmek_key_network_blocked', CMEKKeyNetworkBlockedError],
  ['400 compaction_block_ambiguous', CompactionBlockAmbiguousError],
  ['400 compaction_block_misplaced', CompactionBlockMisplacedError],
  ['400 compaction_content_mismatch', CompactionContentMismatchError],
  ['400 compaction_incomplete_turn', CompactionIncompleteTurnError],
  ['400 compaction_nothing_to_summarize', CompactionNothingToSummarizeError],
  ['400 compaction_signature_invalid', CompactionSignatureInvalidError],
  ['400 compaction_tool_changes_mismatch', CompactionToolChangesMismatchError],
  ['400 compaction_too_many_tool_references', CompactionTooManyToolReferencesError],
  ['400 file_not_downloadable', FileNotDownloadableError],
  ['400 image_dimensions_too_large', ImageDimensionsTooLargeError],
  ['400 organization_on_hold', OrganizationOnHoldError],
  ['400 request_body_encoding_invalid', RequestBodyEncodingInvalidError],
  ['400 request_body_encoding_unsupported', RequestBodyEncodingUnsupportedError],
  ['400 storage_quota_exceeded', StorageQuotaExceededError],
  ['400 thread_already_continued', ThreadAlreadyContinuedError],
  ['400 thread_continue_in_flight', ThreadContinueInFlightError],
  ['400 thread_fingerprint_mismatch', ThreadFingerprintMismatchError],
  ['400 thread_unsupported_request', ThreadUnsupportedRequestError],
  ['400 tool_name_conflict', ToolNameConflictError],
  ['400 tool_reference_unresolved', ToolReferenceUnresolvedError],
  ['400 user_profile_required', UserProfileRequiredError],
  ['402 linked_organization_billing_unavailable', LinkedOrganizationBillingUnavailableError],
  ['402 linked_organization_spend_limit_reached', LinkedOrganizationSpendLimitReachedError],
  ['403 sandbox_egress_restricted', SandboxEgressRestrictedError],
  ['403 user_profile_billing_not_authorized', UserProfileBillingNotAuthorizedError],
  ['403 user_profile_not_billable', UserProfileNotBillableError],
  ['404 file_expired', FileExpiredError],
  ['404 thread_not_found', ThreadNotFoundError],
  ['413 request_body_too_large_after_decoding', RequestBodyTooLargeAfterDecodingError],
  ['429 contract_spend_limit_reached', ContractSpendLimitReachedError],
  ['429 enforced_spend_limit_reached', EnforcedSpendLimitReachedError],
  ['429 ramp_limit_exceeded', RampLimitExceededError],
  ['503 cmek_context_unavailable', CMEKContextUnavailableError],
  ['503 cmek_key_unreachable', CMEKKeyUnreachableError],
  ['529 compaction_unavailable', CompactionUnavailableError],
])

/** The class of a code, which is that of the API only with its own status. */
export function classOfCode(status: number, code: string): ErrorClass | undefined {
  return byCode.get(`${status} ${code}`)
}
