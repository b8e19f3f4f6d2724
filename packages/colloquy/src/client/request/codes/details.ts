// The details of an error beside its code.

type CodeDetails<Code extends string> = { error_code: Code }

/** The details of an error with the code `available_tools_limit_exceeded`. */
export type AvailableToolsLimitExceededErrorDetails = CodeDetails<'available_tools_limit_exceeded'>
/** The details of an error with the code `claude_code_key_creator_not_member`. */
export type ClaudeCodeKeyCreatorNotMemberErrorDetails = CodeDetails<'claude_code_key_creator_not_member'>
/** The details of an error with the code `claude_code_version_too_old`. */
export type ClaudeCodeVersionTooOldErrorDetails = CodeDetails<'claude_code_version_too_old'>
/** The details of an error with the code `cmek_key_disabled`. */
export type CMEKKeyDisabledErrorDetails = CodeDetails<'cmek_key_disabled'>
/** The details of an error with the code `cmek_key_network_blocked`. */
export type CMEKKeyNetworkBlockedErrorDetails = CodeDetails<'cmek_key_network_blocked'>
/** The details of an error with the code `compaction_block_ambiguous`. */
export type CompactionBlockAmbiguousErrorDetails = CodeDetails<'compaction_block_ambiguous'>
/** The details of an error with the code `compaction_block_misplaced`. */
export type CompactionBlockMisplacedErrorDetails = CodeDetails<'compaction_block_misplaced'>
/** The details of an error with the code `compaction_content_mismatch`. */
export type CompactionContentMismatchErrorDetails = CodeDetails<'compaction_content_mismatch'>
/** The details of an error with the code `compaction_incomplete_turn`. */
export type CompactionIncompleteTurnErrorDetails = CodeDetails<'compaction_incomplete_turn'>
/** The details of an error with the code `compaction_nothing_to_summarize`. */
export type CompactionNothingToSummarizeErrorDetails = CodeDetails<'compaction_nothing_to_summarize'>
/** The details of an error with the code `compaction_signature_invalid`. */
export type CompactionSignatureInvalidErrorDetails = CodeDetails<'compaction_signature_invalid'>
/** The details of an error with the code `compaction_tool_changes_mismatch`. */
export type CompactionToolChangesMismatchErrorDetails = CodeDetails<'compaction_tool_changes_mismatch'>
/** The details of an error with the code `compaction_too_many_tool_references`. */
export type CompactionTooManyToolReferencesErrorDetails = CodeDetails<'compaction_too_many_tool_references'>
/** The details of an error with the code `file_not_downloadable`. */
export type FileNotDownloadableErrorDetails = CodeDetails<'file_not_downloadable'>
/** The details of an error with the code `image_dimensions_too_large`. */
export type ImageDimensionsTooLargeErrorDetails = CodeDetails<'image_dimensions_too_large'> & {
  /** The longest side that an image of the request may have. */
  max_side_length_pixels: number
  /** The places of the images, such as `messages.0.content.1`. */
  paths: string[]
}
/** The details of an error with the code `organization_on_hold`. */
export type OrganizationOnHoldErrorDetails = CodeDetails<'organization_on_hold'> & {
  appeal_url?: string | null
}
/** The details of an error with the code `request_body_encoding_invalid`. */
export type RequestBodyEncodingInvalidErrorDetails = CodeDetails<'request_body_encoding_invalid'>
/** The details of an error with the code `request_body_encoding_unsupported`. */
export type RequestBodyEncodingUnsupportedErrorDetails = CodeDetails<'request_body_encoding_unsupported'>
/** The details of an error with the code `storage_quota_exceeded`. */
export type StorageQuotaExceededErrorDetails = CodeDetails<'storage_quota_exceeded'>
/** The details of an error with the code `thread_already_continued`. */
export type ThreadAlreadyContinuedErrorDetails = CodeDetails<'thread_already_continued'>
/** The details of an error with the code `thread_continue_in_flight`. */
export type ThreadContinueInFlightErrorDetails = CodeDetails<'thread_continue_in_flight'>
/** The details of an error with the code `thread_fingerprint_mismatch`. */
export type ThreadFingerprintMismatchErrorDetails = CodeDetails<'thread_fingerprint_mismatch'>
/** The details of an error with the code `thread_unsupported_request`. */
export type ThreadUnsupportedRequestErrorDetails = CodeDetails<'thread_unsupported_request'> & {
  /** The features that the server cannot combine with a thread. */
  unsupported?: string[] | null
}
/** The details of an error with the code `tool_name_conflict`. */
export type ToolNameConflictErrorDetails = CodeDetails<'tool_name_conflict'>
/** The details of an error with the code `tool_reference_unresolved`. */
export type ToolReferenceUnresolvedErrorDetails = CodeDetails<'tool_reference_unresolved'>
/** The details of an error with the code `user_profile_required`. */
export type UserProfileRequiredErrorDetails = CodeDetails<'user_profile_required'>
/** The details of an error with the code `linked_organization_billing_unavailable`. */
export type LinkedOrganizationBillingUnavailableErrorDetails = CodeDetails<'linked_organization_billing_unavailable'>
/** The details of an error with the code `linked_organization_spend_limit_reached`. */
export type LinkedOrganizationSpendLimitReachedErrorDetails = CodeDetails<'linked_organization_spend_limit_reached'>
/** The details of an error with the code `sandbox_egress_restricted`. */
export type SandboxEgressRestrictedErrorDetails = CodeDetails<'sandbox_egress_restricted'>
/** The details of an error with the code `user_profile_billing_not_authorized`. */
export type UserProfileBillingNotAuthorizedErrorDetails = CodeDetails<'user_profile_billing_not_authorized'>
/** The details of an error with the code `user_profile_not_billable`. */
export type UserProfileNotBillableErrorDetails = CodeDetails<'user_profile_not_billable'>
/** The details of an error with the code `file_expired`. */
export type FileExpiredErrorDetails = CodeDetails<'file_expired'>
/** The details of an error with the code `thread_not_found`. */
export type ThreadNotFoundErrorDetails = CodeDetails<'thread_not_found'>
/** The details of an error with the code `request_body_too_large_after_decoding`. */
export type RequestBodyTooLargeAfterDecodingErrorDetails = CodeDetails<'request_body_too_large_after_decoding'>
/** The details of an error with the code `contract_spend_limit_reached`. */
export type ContractSpendLimitReachedErrorDetails = CodeDetails<'contract_spend_limit_reached'>
/** The details of an error with the code `enforced_spend_limit_reached`. */
export type EnforcedSpendLimitReachedErrorDetails = CodeDetails<'enforced_spend_limit_reached'>
/** The details of an error with the code `ramp_limit_exceeded`. */
export type RampLimitExceededErrorDetails = CodeDetails<'ramp_limit_exceeded'>
/** The details of an error with the code `cmek_context_unavailable`. */
export type CMEKContextUnavailableErrorDetails = CodeDetails<'cmek_context_unavailable'>
/** The details of an error with the code `cmek_key_unreachable`. */
export type CMEKKeyUnreachableErrorDetails = CodeDetails<'cmek_key_unreachable'>
/** The details of an error with the code `compaction_unavailable`. */
export type CompactionUnavailableErrorDetails = CodeDetails<'compaction_unavailable'>
/** The details of an error with the code `organization_not_enrolled_in_beta`. */
export type BetaOrganizationNotEnrolledInBetaErrorDetails = CodeDetails<'organization_not_enrolled_in_beta'>
/** The details of an error with the code `organization_type_not_supported`. */
export type OrganizationTypeNotSupportedErrorDetails = CodeDetails<'organization_type_not_supported'>
/** The details of an error with the code `parent_organization_required`. */
export type ParentOrganizationRequiredErrorDetails = CodeDetails<'parent_organization_required'>
/** The details of an error with the code `request_body_timeout`. */
export type BetaRequestBodyTimeoutErrorDetails = CodeDetails<'request_body_timeout'>
/** The details of an error with the code `unsupported_charset`. */
export type BetaUnsupportedCharsetErrorDetails = CodeDetails<'unsupported_charset'>
/** The details of an error with the code `workspace_human_review_disabled`. */
export type WorkspaceHumanReviewDisabledErrorDetails = CodeDetails<'workspace_human_review_disabled'>
