import * as errors from '../protocol/types/error.ts'
import { BaseAnthropic } from './base-client.ts'
import type * as codes from './request/codes/code-errors.ts'
import { codeErrors } from './request/codes/code-errors.ts'
import { APIResponseError, APIStreamError } from './request/errors.ts'

/** The classes of errors as `Anthropic.RateLimitError`. Browsers lack the classes of the API's error codes. */
export class AnthropicErrors extends BaseAnthropic {
  static readonly AnthropicError: typeof errors.AnthropicError = errors.AnthropicError
  static readonly APIError: typeof errors.APIError = errors.APIError
  static readonly APIConnectionError: typeof errors.APIConnectionError = errors.APIConnectionError
  static readonly APIConnectionTimeoutError: typeof errors.APIConnectionTimeoutError = errors.APIConnectionTimeoutError
  static readonly APIUserAbortError: typeof errors.APIUserAbortError = errors.APIUserAbortError
  static readonly BadRequestError: typeof errors.BadRequestError = errors.BadRequestError
  static readonly AuthenticationError: typeof errors.AuthenticationError = errors.AuthenticationError
  static readonly PaymentRequiredError: typeof errors.PaymentRequiredError = errors.PaymentRequiredError
  static readonly PermissionDeniedError: typeof errors.PermissionDeniedError = errors.PermissionDeniedError
  static readonly NotFoundError: typeof errors.NotFoundError = errors.NotFoundError
  static readonly RequestTimeoutError: typeof errors.RequestTimeoutError = errors.RequestTimeoutError
  static readonly ConflictError: typeof errors.ConflictError = errors.ConflictError
  static readonly PreconditionFailedError: typeof errors.PreconditionFailedError = errors.PreconditionFailedError
  static readonly ContentTooLargeError: typeof errors.ContentTooLargeError = errors.ContentTooLargeError
  static readonly UnprocessableEntityError: typeof errors.UnprocessableEntityError = errors.UnprocessableEntityError
  static readonly RateLimitError: typeof errors.RateLimitError = errors.RateLimitError
  static readonly RequestHeaderFieldsTooLargeError: typeof errors.RequestHeaderFieldsTooLargeError =
    errors.RequestHeaderFieldsTooLargeError
  static readonly ClientClosedRequestError: typeof errors.ClientClosedRequestError = errors.ClientClosedRequestError
  static readonly InternalServerError: typeof errors.InternalServerError = errors.InternalServerError
  static readonly NotImplementedError: typeof errors.NotImplementedError = errors.NotImplementedError
  static readonly ServiceUnavailableError: typeof errors.ServiceUnavailableError = errors.ServiceUnavailableError
  static readonly GatewayTimeoutError: typeof errors.GatewayTimeoutError = errors.GatewayTimeoutError
  static readonly OverloadedError: typeof errors.OverloadedError = errors.OverloadedError
  static readonly APIStreamError: typeof APIStreamError = APIStreamError
  static readonly APIResponseError: typeof APIResponseError = APIResponseError
  declare static readonly AvailableToolsLimitExceededError: typeof codes.AvailableToolsLimitExceededError
  declare static readonly ClaudeCodeKeyCreatorNotMemberError: typeof codes.ClaudeCodeKeyCreatorNotMemberError
  declare static readonly ClaudeCodeVersionTooOldError: typeof codes.ClaudeCodeVersionTooOldError
  declare static readonly CMEKKeyDisabledError: typeof codes.CMEKKeyDisabledError
  declare static readonly CMEKKeyNetworkBlockedError: typeof codes.CMEKKeyNetworkBlockedError
  declare static readonly CompactionBlockAmbiguousError: typeof codes.CompactionBlockAmbiguousError
  declare static readonly CompactionBlockMisplacedError: typeof codes.CompactionBlockMisplacedError
  declare static readonly CompactionContentMismatchError: typeof codes.CompactionContentMismatchError
  declare static readonly CompactionIncompleteTurnError: typeof codes.CompactionIncompleteTurnError
  declare static readonly CompactionNothingToSummarizeError: typeof codes.CompactionNothingToSummarizeError
  declare static readonly CompactionSignatureInvalidError: typeof codes.CompactionSignatureInvalidError
  declare static readonly CompactionToolChangesMismatchError: typeof codes.CompactionToolChangesMismatchError
  declare static readonly CompactionTooManyToolReferencesError: typeof codes.CompactionTooManyToolReferencesError
  declare static readonly FileNotDownloadableError: typeof codes.FileNotDownloadableError
  declare static readonly ImageDimensionsTooLargeError: typeof codes.ImageDimensionsTooLargeError
  declare static readonly OrganizationOnHoldError: typeof codes.OrganizationOnHoldError
  declare static readonly RequestBodyEncodingInvalidError: typeof codes.RequestBodyEncodingInvalidError
  declare static readonly RequestBodyEncodingUnsupportedError: typeof codes.RequestBodyEncodingUnsupportedError
  declare static readonly StorageQuotaExceededError: typeof codes.StorageQuotaExceededError
  declare static readonly ThreadAlreadyContinuedError: typeof codes.ThreadAlreadyContinuedError
  declare static readonly ThreadContinueInFlightError: typeof codes.ThreadContinueInFlightError
  declare static readonly ThreadFingerprintMismatchError: typeof codes.ThreadFingerprintMismatchError
  declare static readonly ThreadUnsupportedRequestError: typeof codes.ThreadUnsupportedRequestError
  declare static readonly ToolNameConflictError: typeof codes.ToolNameConflictError
  declare static readonly ToolReferenceUnresolvedError: typeof codes.ToolReferenceUnresolvedError
  declare static readonly UserProfileRequiredError: typeof codes.UserProfileRequiredError
  declare static readonly LinkedOrganizationBillingUnavailableError: typeof codes.LinkedOrganizationBillingUnavailableError
  declare static readonly LinkedOrganizationSpendLimitReachedError: typeof codes.LinkedOrganizationSpendLimitReachedError
  declare static readonly SandboxEgressRestrictedError: typeof codes.SandboxEgressRestrictedError
  declare static readonly UserProfileBillingNotAuthorizedError: typeof codes.UserProfileBillingNotAuthorizedError
  declare static readonly UserProfileNotBillableError: typeof codes.UserProfileNotBillableError
  declare static readonly FileExpiredError: typeof codes.FileExpiredError
  declare static readonly ThreadNotFoundError: typeof codes.ThreadNotFoundError
  declare static readonly RequestBodyTooLargeAfterDecodingError: typeof codes.RequestBodyTooLargeAfterDecodingError
  declare static readonly ContractSpendLimitReachedError: typeof codes.ContractSpendLimitReachedError
  declare static readonly EnforcedSpendLimitReachedError: typeof codes.EnforcedSpendLimitReachedError
  declare static readonly RampLimitExceededError: typeof codes.RampLimitExceededError
  declare static readonly CMEKContextUnavailableError: typeof codes.CMEKContextUnavailableError
  declare static readonly CMEKKeyUnreachableError: typeof codes.CMEKKeyUnreachableError
  declare static readonly CompactionUnavailableError: typeof codes.CompactionUnavailableError
  declare static readonly BetaOrganizationNotEnrolledInBetaError: typeof codes.BetaOrganizationNotEnrolledInBetaError
  declare static readonly OrganizationTypeNotSupportedError: typeof codes.OrganizationTypeNotSupportedError
  declare static readonly ParentOrganizationRequiredError: typeof codes.ParentOrganizationRequiredError
  declare static readonly BetaRequestBodyTimeoutError: typeof codes.BetaRequestBodyTimeoutError
  declare static readonly BetaUnsupportedCharsetError: typeof codes.BetaUnsupportedCharsetError
  declare static readonly WorkspaceHumanReviewDisabledError: typeof codes.WorkspaceHumanReviewDisabledError

  static {
    Object.assign(this, codeErrors)
  }
}
