import type * as errors from '../protocol/types/error.ts'
import {
  AnthropicError,
  APIError,
  APIConnectionError,
  APIConnectionTimeoutError,
  APIUserAbortError,
  BadRequestError,
  AuthenticationError,
  PaymentRequiredError,
  PermissionDeniedError,
  NotFoundError,
  RequestTimeoutError,
  ConflictError,
  PreconditionFailedError,
  ContentTooLargeError,
  UnprocessableEntityError,
  RateLimitError,
  RequestHeaderFieldsTooLargeError,
  ClientClosedRequestError,
  InternalServerError,
  NotImplementedError,
  ServiceUnavailableError,
  GatewayTimeoutError,
  OverloadedError,
} from '../protocol/types/error.ts'
import { BaseClient, defaultTimeout } from './base-client.ts'
import type * as codes from './request/codes/code-errors.ts'
import { codeErrors } from './request/codes/code-errors.ts'
import { toFile } from './resources/files.ts'
import { APIResponseError, APIStreamError } from './request/errors.ts'

/**
 * A client without resources, for classes of your own, with the classes of errors as `Anthropic.RateLimitError`. Browsers lack the
 * classes of the API's error codes.
 *
 * @example
 * ```ts
 * import { BaseAnthropic } from 'colloquy'
 *
 * const client = new BaseAnthropic()
 * const { data } = await client.get<{ data: { id: string }[] }>('/v1/models')
 * console.log(data.length > 0) // true
 * ```
 */
export class BaseAnthropic extends BaseClient {
  declare static readonly AnthropicError: typeof errors.AnthropicError
  declare static readonly APIError: typeof errors.APIError
  declare static readonly APIConnectionError: typeof errors.APIConnectionError
  declare static readonly APIConnectionTimeoutError: typeof errors.APIConnectionTimeoutError
  declare static readonly APIUserAbortError: typeof errors.APIUserAbortError
  declare static readonly BadRequestError: typeof errors.BadRequestError
  declare static readonly AuthenticationError: typeof errors.AuthenticationError
  declare static readonly PaymentRequiredError: typeof errors.PaymentRequiredError
  declare static readonly PermissionDeniedError: typeof errors.PermissionDeniedError
  declare static readonly NotFoundError: typeof errors.NotFoundError
  declare static readonly RequestTimeoutError: typeof errors.RequestTimeoutError
  declare static readonly ConflictError: typeof errors.ConflictError
  declare static readonly PreconditionFailedError: typeof errors.PreconditionFailedError
  declare static readonly ContentTooLargeError: typeof errors.ContentTooLargeError
  declare static readonly UnprocessableEntityError: typeof errors.UnprocessableEntityError
  declare static readonly RateLimitError: typeof errors.RateLimitError
  declare static readonly RequestHeaderFieldsTooLargeError: typeof errors.RequestHeaderFieldsTooLargeError
  declare static readonly ClientClosedRequestError: typeof errors.ClientClosedRequestError
  declare static readonly InternalServerError: typeof errors.InternalServerError
  declare static readonly NotImplementedError: typeof errors.NotImplementedError
  declare static readonly ServiceUnavailableError: typeof errors.ServiceUnavailableError
  declare static readonly GatewayTimeoutError: typeof errors.GatewayTimeoutError
  declare static readonly OverloadedError: typeof errors.OverloadedError
  declare static readonly APIStreamError: typeof APIStreamError
  declare static readonly APIResponseError: typeof APIResponseError
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

  static readonly DEFAULT_TIMEOUT: number = defaultTimeout
  /** Makes a file of bytes, text, a stream or a response, to be uploaded. */
  declare static readonly toFile: typeof toFile
  declare static readonly Anthropic: typeof BaseAnthropic

  static {
    Object.assign(this, {
      Anthropic: this,
      toFile,
      AnthropicError,
      APIError,
      APIConnectionError,
      APIConnectionTimeoutError,
      APIUserAbortError,
      BadRequestError,
      AuthenticationError,
      PaymentRequiredError,
      PermissionDeniedError,
      NotFoundError,
      RequestTimeoutError,
      ConflictError,
      PreconditionFailedError,
      ContentTooLargeError,
      UnprocessableEntityError,
      RateLimitError,
      RequestHeaderFieldsTooLargeError,
      ClientClosedRequestError,
      InternalServerError,
      NotImplementedError,
      ServiceUnavailableError,
      GatewayTimeoutError,
      OverloadedError,
      APIStreamError,
      APIResponseError,
      ...codeErrors,
    })
  }
}
