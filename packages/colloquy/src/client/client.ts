import * as errors from '../protocol/types/error.ts'
import { BaseAnthropic } from './base-client.ts'
import { Beta, type Beta as BetaResource } from './resources/beta.ts'
import * as betaTypes from './beta-namespace.ts'
import { APIResponseError, APIStreamError } from './request/errors.ts'
import { Files, toFile, type Files as FilesResource } from './resources/files.ts'
import { Messages, type Messages as MessagesResource } from './resources/messages.ts'
import { Models, type Models as ModelsResource } from './resources/models.ts'
import * as modelNames from './names/models.ts'
import * as paramNames from './names/params.ts'
import type * as options from './options.ts'
import type * as request from './request/options.ts'
import * as types from './types.ts'

/**
 * A client of the Messages API. `new Anthropic()` takes the key from `ANTHROPIC_API_KEY`. Options that are misspelt or make no
 * sense are an `AnthropicError` at once; a missing key is one when the first request is made.
 */
export class Anthropic extends BaseAnthropic {
  readonly messages: Messages = new Messages(this)
  readonly models: Models = new Models(this)
  readonly files: Files = new Files(this)
  readonly beta: Beta = new Beta(this)

  static readonly DEFAULT_TIMEOUT: number = 600_000
  static readonly toFile: typeof toFile = toFile
  static readonly Anthropic: typeof Anthropic = Anthropic
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
}

/** The words of the API as types: `Anthropic.MessageParam`, or `Anthropic.Messages.MessageParam`. */
export declare namespace Anthropic {
  export import Messages = types
  export type Messages = MessagesResource
  export import Beta = betaTypes
  export type Beta = BetaResource
  export import Models = modelNames
  /** The methods of `client.models`. */
  export type Models = ModelsResource
  export import Tool = types.Tool
  export type Files = FilesResource
  export type FinalRequestOptions = request.FinalRequestOptions
  export type ApiKeySetter = options.ApiKeySetter
  export type ErrorObject = types.ErrorObject
  export type ErrorResponse = types.ErrorBody
  export type ErrorType = types.ErrorType
  export type ClientOptions = options.ClientOptions
  export type RequestOptions = request.RequestOptions
  export type AnthropicError = errors.AnthropicError
  export type APIError = errors.APIError
  export type APIConnectionError = errors.APIConnectionError
  export type APIConnectionTimeoutError = errors.APIConnectionTimeoutError
  export type APIUserAbortError = errors.APIUserAbortError
  export type BadRequestError = errors.BadRequestError
  export type AuthenticationError = errors.AuthenticationError
  export type PaymentRequiredError = errors.PaymentRequiredError
  export type PermissionDeniedError = errors.PermissionDeniedError
  export type NotFoundError = errors.NotFoundError
  export type RequestTimeoutError = errors.RequestTimeoutError
  export type ConflictError = errors.ConflictError
  export type PreconditionFailedError = errors.PreconditionFailedError
  export type ContentTooLargeError = errors.ContentTooLargeError
  export type UnprocessableEntityError = errors.UnprocessableEntityError
  export type RateLimitError = errors.RateLimitError
  export type RequestHeaderFieldsTooLargeError = errors.RequestHeaderFieldsTooLargeError
  export type ClientClosedRequestError = errors.ClientClosedRequestError
  export type InternalServerError = errors.InternalServerError
  export type NotImplementedError = errors.NotImplementedError
  export type ServiceUnavailableError = errors.ServiceUnavailableError
  export type GatewayTimeoutError = errors.GatewayTimeoutError
  export type OverloadedError = errors.OverloadedError
  export type AssistantMessageParam = types.AssistantMessageParam
  export type Base64ImageSource = types.Base64ImageSource
  export type Base64PDFSource = types.Base64PDFSource
  export type BashCodeExecutionOutputBlock = types.BashCodeExecutionOutputBlock
  export type BashCodeExecutionResultBlock = types.BashCodeExecutionResultBlock
  export type BashCodeExecutionToolResultBlock = types.BashCodeExecutionToolResultBlock
  export type BashCodeExecutionToolResultBlockParam = types.BashCodeExecutionToolResultBlockParam
  export import BatchCreateParams = types.BatchCreateParams
  export type BatchCreateRequest = types.BatchCreateRequest
  export type BrowserToolset20260801 = types.BrowserToolset20260801
  export type CacheControlEphemeral = types.CacheControlEphemeral
  export type CacheCreation = types.CacheCreation
  export type CacheMissReason = types.CacheMissReason
  export type CapabilitySupport = types.CapabilitySupport
  export type CitationCharLocation = types.CitationCharLocation
  export type CitationContentBlockLocation = types.CitationContentBlockLocation
  export type CitationPageLocation = types.CitationPageLocation
  export type CitationsConfigParam = types.CitationsConfigParam
  export type CitationsDelta = types.CitationsDelta
  export type CitationsSearchResultLocation = types.CitationsSearchResultLocation
  export type CitationsWebSearchResultLocation = types.CitationsWebSearchResultLocation
  export type CodeExecutionOutputBlock = types.CodeExecutionOutputBlock
  export type CodeExecutionResultBlock = types.CodeExecutionResultBlock
  export type CodeExecutionTool = types.CodeExecutionTool
  export type CodeExecutionTool20250522 = types.CodeExecutionTool20250522
  export type CodeExecutionTool20250825 = types.CodeExecutionTool20250825
  export type CodeExecutionTool20260120 = types.CodeExecutionTool20260120
  export type CodeExecutionTool20260521 = types.CodeExecutionTool20260521
  export type CodeExecutionToolResultBlock = types.CodeExecutionToolResultBlock
  export type CodeExecutionToolResultBlockParam = types.CodeExecutionToolResultBlockParam
  export type CompactionBlock = types.CompactionBlock
  export type CompactionBlockParam = types.CompactionBlockParam
  export type CompactionDelta = types.CompactionDelta
  export type CompactionParams = types.CompactionParams
  export type ComputerToolset20260801 = types.ComputerToolset20260801
  export type Container = types.Container
  export type ContainerParams = types.ContainerParams
  export type ContainerSkill = types.ContainerSkill
  export type ContainerUploadBlock = types.ContainerUploadBlock
  export type ContainerUploadBlockParam = types.ContainerUploadBlockParam
  export type ContentBlock = types.ContentBlock
  export type ContentBlockDelta = types.ContentBlockDelta
  export type ContentBlockDeltaEvent = types.ContentBlockDeltaEvent
  export type ContentBlockParam = types.ContentBlockParam
  export type ContentBlockSource = types.ContentBlockSource
  export type ContentBlockSourceContent = types.ContentBlockSourceContent
  export type ContentBlockStartEvent = types.ContentBlockStartEvent
  export type ContentBlockStopEvent = types.ContentBlockStopEvent
  export type ContextManagement = types.ContextManagement
  export type DeletedMessageBatch = types.DeletedMessageBatch
  export type Diagnostics = types.Diagnostics
  export type DiagnosticsParam = types.DiagnosticsParam
  export type DocumentBlockParam = types.DocumentBlockParam
  export type EncryptedCodeExecutionResultBlock = types.EncryptedCodeExecutionResultBlock
  export type ErrorEvent = types.ErrorEvent
  export type FallbackBlock = types.FallbackBlock
  export type FallbackBlockParam = types.FallbackBlockParam
  export type FileDocumentSource = types.FileDocumentSource
  export type FileImageSource = types.FileImageSource
  export type ImageBlockParam = types.ImageBlockParam
  export type ImageTransformationsParam = types.ImageTransformationsParam
  export type InputJSONDelta = types.InputJSONDelta
  export type JSONOutputFormat = types.JSONOutputFormat
  export type MCPServer = types.MCPServer
  export type MemoryTool20250818 = types.MemoryTool20250818
  export type Message = types.Message
  export type MessageBatch = types.MessageBatch
  export type MessageBatchCanceledResult = types.MessageBatchCanceledResult
  export type MessageBatchErroredResult = types.MessageBatchErroredResult
  export type MessageBatchExpiredResult = types.MessageBatchExpiredResult
  export type MessageBatchIndividualResponse = types.MessageBatchIndividualResponse
  export type MessageBatchRequestCounts = types.MessageBatchRequestCounts
  export type MessageBatchResult = types.MessageBatchResult
  export type MessageBatchSucceededResult = types.MessageBatchSucceededResult
  export type MessageContentParam = types.MessageContentParam
  export type MessageCountTokensParams = types.MessageCountTokensParams
  export import MessageCreateParams = paramNames.MessageCreateParams
  export type MessageCreateParamsBase = types.MessageCreateParamsBase
  export type MessageCreateParamsNonStreaming = types.MessageCreateParamsNonStreaming
  export type MessageCreateParamsStreaming = types.MessageCreateParamsStreaming
  export type MessageDelta = types.MessageDelta
  export type MessageDeltaEvent = types.MessageDeltaEvent
  export type MessageDeltaUsage = types.MessageDeltaUsage
  export type MessageParam = types.MessageParam
  export type MessageStartEvent = types.MessageStartEvent
  export type MessageStopEvent = types.MessageStopEvent
  export type MessageStreamEvent = types.MessageStreamEvent
  export type MessageStreamParams = types.MessageStreamParams
  export type MessageTokensCount = types.MessageTokensCount
  export type Metadata = types.Metadata
  export type Model = types.Model
  export type ModelCapabilities = types.ModelCapabilities
  export type ModelInfo = types.ModelInfo
  export type OutputConfig = types.OutputConfig
  export type OutputTokensDetails = types.OutputTokensDetails
  export type PageParams = types.PageParams
  export type PingEvent = types.PingEvent
  export type PlainTextSource = types.PlainTextSource
  export type RawContentBlockDelta = types.RawContentBlockDelta
  export type RawContentBlockDeltaEvent = types.RawContentBlockDeltaEvent
  export type RawContentBlockStartEvent = types.RawContentBlockStartEvent
  export type RawContentBlockStopEvent = types.RawContentBlockStopEvent
  export import RawMessageDeltaEvent = types.RawMessageDeltaEvent
  export type RawMessageStartEvent = types.RawMessageStartEvent
  export type RawMessageStopEvent = types.RawMessageStopEvent
  export type RawMessageStreamEvent = types.RawMessageStreamEvent
  export type RedactedThinkingBlock = types.RedactedThinkingBlock
  export type RedactedThinkingBlockParam = types.RedactedThinkingBlockParam
  export type RefusalStopDetails = types.RefusalStopDetails
  export type SearchResultBlockParam = types.SearchResultBlockParam
  export type ServerToolUsage = types.ServerToolUsage
  export type ServerToolUseBlock = types.ServerToolUseBlock
  export type ServerToolUseBlockParam = types.ServerToolUseBlockParam
  export type SignatureDelta = types.SignatureDelta
  export type SkillParams = types.SkillParams
  export type StopReason = types.StopReason
  export type SystemMessageParam = types.SystemMessageParam
  export type TextBlock = types.TextBlock
  export type TextBlockParam = types.TextBlockParam
  export type TextCitation = types.TextCitation
  export type TextCitationParam = types.TextCitationParam
  export type TextDelta = types.TextDelta
  export type TextEditorCodeExecutionCreateResultBlock = types.TextEditorCodeExecutionCreateResultBlock
  export type TextEditorCodeExecutionStrReplaceResultBlock = types.TextEditorCodeExecutionStrReplaceResultBlock
  export type TextEditorCodeExecutionToolResultBlock = types.TextEditorCodeExecutionToolResultBlock
  export type TextEditorCodeExecutionToolResultBlockParam = types.TextEditorCodeExecutionToolResultBlockParam
  export type TextEditorCodeExecutionViewResultBlock = types.TextEditorCodeExecutionViewResultBlock
  export type ThinkingBlock = types.ThinkingBlock
  export type ThinkingBlockParam = types.ThinkingBlockParam
  export type ThinkingConfigAdaptive = types.ThinkingConfigAdaptive
  export type ThinkingConfigBetweenTools = types.ThinkingConfigBetweenTools
  export type ThinkingConfigDisabled = types.ThinkingConfigDisabled
  export type ThinkingConfigEnabled = types.ThinkingConfigEnabled
  export type ThinkingConfigParam = types.ThinkingConfigParam
  export type ThinkingDelta = types.ThinkingDelta
  export type ThreadParams = types.ThreadParams
  export type ToolBash20250124 = types.ToolBash20250124
  export type ToolChoice = types.ToolChoice
  export type ToolChoiceAny = types.ToolChoiceAny
  export type ToolChoiceAuto = types.ToolChoiceAuto
  export type ToolChoiceNone = types.ToolChoiceNone
  export type ToolChoiceTool = types.ToolChoiceTool
  export type ToolInputSchema = types.ToolInputSchema
  export type ToolReferenceBlock = types.ToolReferenceBlock
  export type ToolReferenceBlockParam = types.ToolReferenceBlockParam
  export type ToolResultBlockParam = types.ToolResultBlockParam
  export type ToolSearchTool = types.ToolSearchTool
  export type ToolSearchToolResultBlock = types.ToolSearchToolResultBlock
  export type ToolSearchToolResultBlockParam = types.ToolSearchToolResultBlockParam
  export type ToolSearchToolSearchResultBlock = types.ToolSearchToolSearchResultBlock
  export type ToolTextEditor20250124 = types.ToolTextEditor20250124
  export type ToolTextEditor20250429 = types.ToolTextEditor20250429
  export type ToolTextEditor20250728 = types.ToolTextEditor20250728
  export type ToolUnion = types.ToolUnion
  export type ToolUseBlock = types.ToolUseBlock
  export type ToolUseBlockParam = types.ToolUseBlockParam
  export type ToolUseCaller = types.ToolUseCaller
  export type URLImageSource = types.URLImageSource
  export type URLPDFSource = types.URLPDFSource
  export type Usage = types.Usage
  export type UsageIteration = types.UsageIteration
  export type UserLocation = types.UserLocation
  export type UserMessageParam = types.UserMessageParam
  export type WebFetchBlock = types.WebFetchBlock
  export type WebFetchTool = types.WebFetchTool
  export type WebFetchTool20250910 = types.WebFetchTool20250910
  export type WebFetchTool20260209 = types.WebFetchTool20260209
  export type WebFetchTool20260309 = types.WebFetchTool20260309
  export type WebFetchTool20260318 = types.WebFetchTool20260318
  export type WebFetchToolResultBlock = types.WebFetchToolResultBlock
  export type WebFetchToolResultBlockParam = types.WebFetchToolResultBlockParam
  export type WebSearchResultBlock = types.WebSearchResultBlock
  export type WebSearchTool = types.WebSearchTool
  export import WebSearchTool20250305 = types.WebSearchTool20250305
  export import WebSearchTool20260209 = types.WebSearchTool20260209
  export type WebSearchTool20260318 = types.WebSearchTool20260318
  export type WebSearchToolResultBlock = types.WebSearchToolResultBlock
  export type WebSearchToolResultBlockParam = types.WebSearchToolResultBlockParam
}
