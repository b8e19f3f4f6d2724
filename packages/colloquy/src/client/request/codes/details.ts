// The details of an error beside its code.
import type { ErrorDetails } from '../../../protocol/types/error.ts'

type CodeDetails<Code extends string> = ErrorDetails & { error_code: Code }

export type AvailableToolsLimitExceededErrorDetails = CodeDetails<'available_tools_limit_exceeded'>
export type ClaudeCodeKeyCreatorNotMemberErrorDetails = CodeDetails<'claude_code_key_creator_not_member'>
export type ClaudeCodeVersionTooOldErrorDetails = CodeDetails<'claude_code_version_too_old'>
export type CMEKKeyDisabledErrorDetails = CodeDetails<'cmek_key_disabled'>
export type CMEKKeyNetworkBlockedErrorDetails = CodeDetails<'cmek_key_network_blocked'>
export type CompactionBlockAmbiguousErrorDetails = CodeDetails<'compaction_block_ambiguous'>
export type CompactionBlockMisplacedErrorDetails = CodeDetails<'compaction_block_misplaced'>
export type CompactionContentMismatchErrorDetails = CodeDetails<'compaction_content_mismatch'>
export type CompactionIncompleteTurnErrorDetails = CodeDetails<'compaction_incomplete_turn'>
export type CompactionNothingToSummarizeErrorDetails = CodeDetails<'compaction_nothing_to_summarize'>
export type CompactionSignatureInvalidErrorDetails = CodeDetails<'compaction_signature_invalid'>
export type CompactionToolChangesMismatchErrorDetails = CodeDetails<'compaction_tool_changes_mismatch'>
export type CompactionTooManyToolReferencesErrorDetails = CodeDetails<'compaction_too_many_tool_references'>
export type FileNotDownloadableErrorDetails = CodeDetails<'file_not_downloadable'>
export interface ImageDimensionsTooLargeErrorDetails extends CodeDetails<'image_dimensions_too_large'> {
  /** The longest side that an image of the request may have. */
  max_side_length_pixels: number
  /** The places of the images, such as `messages.0.content.1`. */
  paths: string[]
}
export interface OrganizationOnHoldErrorDetails extends CodeDetails<'organization_on_hold'> {
  appeal_url?: string | null
}
export type RequestBodyEncodingInvalidErrorDetails = CodeDetails<'request_body_encoding_invalid'>
export type RequestBodyEncodingUnsupportedErrorDetails = CodeDetails<'request_body_encoding_unsupported'>
export type StorageQuotaExceededErrorDetails = CodeDetails<'storage_quota_exceeded'>
export type ThreadAlreadyContinuedErrorDetails = CodeDetails<'thread_already_continued'>
export type ThreadContinueInFlightErrorDetails = CodeDetails<'thread_continue_in_flight'>
export type ThreadFingerprintMismatchErrorDetails = CodeDetails<'thread_fingerprint_mismatch'>
export interface ThreadUnsupportedRequestErrorDetails extends CodeDetails<'thread_unsupported_request'> {
  /** The features that the server cannot combine with a thread. */
  unsupported?: string[] | null
}
export type ToolNameConflictErrorDetails = CodeDetails<'tool_name_conflict'>
export type ToolReferenceUnresolvedErrorDetails = CodeDetails<'tool_reference_unresolved'>
export type UserProfileRequiredErrorDetails = CodeDetails<'user_profile_required'>
export type LinkedOrganizationBillingUnavailableErrorDetails = CodeDetails<'linked_organization_billing_unavailable'>
export type LinkedOrganizationSpendLimitReachedErrorDetails = CodeDetails<'linked_organization_spend_limit_reached'>
export type SandboxEgressRestrictedErrorDetails = CodeDetails<'sandbox_egress_restricted'>
export type UserProfileBillingNotAuthorizedErrorDetails = CodeDetails<'user_profile_billing_not_authorized'>
export type UserProfileNotBillableErrorDetails = CodeDetails<'user_profile_not_billable'>
export type FileExpiredErrorDetails = CodeDetails<'file_expired'>
export type ThreadNotFoundErrorDetails = CodeDetails<'thread_not_found'>
export type RequestBodyTooLargeAfterDecodingErrorDetails = CodeDetails<'request_body_too_large_after_decoding'>
export type ContractSpendLimitReachedErrorDetails = CodeDetails<'contract_spend_limit_reached'>
export type EnforcedSpendLimitReachedErrorDetails = CodeDetails<'enforced_spend_limit_reached'>
export type RampLimitExceededErrorDetails = CodeDetails<'ramp_limit_exceeded'>
export type CMEKContextUnavailableErrorDetails = CodeDetails<'cmek_context_unavailable'>
export type CMEKKeyUnreachableErrorDetails = CodeDetails<'cmek_key_unreachable'>
export type CompactionUnavailableErrorDetails = CodeDetails<'compaction_unavailable'>
export type BetaOrganizationNotEnrolledInBetaErrorDetails = CodeDetails<'organization_not_enrolled_in_beta'>
export type OrganizationTypeNotSupportedErrorDetails = CodeDetails<'organization_type_not_supported'>
export type ParentOrganizationRequiredErrorDetails = CodeDetails<'parent_organization_required'>
export type BetaRequestBodyTimeoutErrorDetails = CodeDetails<'request_body_timeout'>
export type BetaUnsupportedCharsetErrorDetails = CodeDetails<'unsupported_charset'>
export type WorkspaceHumanReviewDisabledErrorDetails = CodeDetails<'workspace_human_review_disabled'>
