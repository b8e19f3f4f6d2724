export { Anthropic, Anthropic as default } from './client/client.ts'
export { BaseAnthropic } from './client/base-anthropic.ts'
export { version as VERSION } from './client/request/request.ts'
export { APIPromise } from './client/request/api-promise.ts'
export {
  AvailableToolsLimitExceededError,
  BetaOrganizationNotEnrolledInBetaError,
  OrganizationTypeNotSupportedError,
  ParentOrganizationRequiredError,
  BetaRequestBodyTimeoutError,
  BetaUnsupportedCharsetError,
  WorkspaceHumanReviewDisabledError,
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
} from './client/request/codes/code-errors.ts'
export { APIResponseError, APIStreamError, RetryableError } from './client/request/errors.ts'
export { MessageThread, MessageThread as BetaMessageThread } from './client/agents/thread.ts'
export { ToolRunner, ToolRunner as BetaToolRunner } from './client/agents/tool-runner.ts'
export { MessageStream, MessageStream as BetaMessageStream } from './client/stream/message-stream.ts'
export type {
  OpenTelemetryOptions,
  OpenTelemetryTracesOptions,
  TracerProvider,
} from './client/tracing/open-telemetry.ts'
export { BetaFallbackState, betaRefusalFallbackMiddleware } from './client/middleware/refusal-fallback.ts'
export { Beta } from './client/resources/beta.ts'
export { Files, toFile } from './client/resources/files.ts'
export { Messages } from './client/resources/messages.ts'
export { Batches } from './client/resources/batches.ts'
export { Models } from './client/resources/models.ts'
export { Page, Page as AbstractPage, Page as PageCursor, PagePromise } from './client/resources/page.ts'
export { rateLimits, type RateLimit, type RateLimits } from './client/request/headers.ts'
export { Stream } from './client/stream/stream.ts'
export type { AccessToken, AccessTokenProvider, AnthropicConfig } from './client/credentials/access-token.ts'
export type { Fetch } from './client/transport/fetch-transport.ts'
export type { RefusalFallbackError, RefusalFallbackOptions } from './client/middleware/fallback-request.ts'
export type { HeadersLike } from './client/request/headers.ts'
export type { Logger, LogLevel } from './client/request/log.ts'
export type { MessageStreamEvents } from './client/stream/listeners.ts'
export type {
  APIRequest,
  FallbackState,
  FinalRequestOptions,
  Middleware,
  MiddlewareContext,
  MiddlewareNext,
  OpenTelemetryRequestOptions,
  OnRetry,
  RecoverOptions,
  RequestOptions,
  Retry,
} from './client/request/options.ts'
export type {
  FileDeleteParams,
  FileDownloadParams,
  FileListParams,
  FileRetrieveMetadataParams,
  FileUploadParams,
} from './client/resources/files.ts'
export type { ToFileInput, ToFileOptions, Uploadable } from './client/request/on-demand/to-file.ts'
export type { ApiKeySetter, ClientOptions } from './client/options.ts'
export type * from './client/request/codes/details.ts'
export * from './protocol/types/error.ts'
export type * from './client/types.ts'
export type * from './client/names/beta/index.ts'
