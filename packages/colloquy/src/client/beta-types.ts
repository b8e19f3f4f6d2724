// Only types. The official client has the words of the API a second time, each with Beta before it; here they are one.
import type * as types from './types.ts'

export type { MessageStream as BetaMessageStream } from './stream/message-stream.ts'
export type { ToolRunner as BetaToolRunner } from './agents/tool-runner.ts'
export type { ToolRunnerParams as BetaToolRunnerParams } from './agents/tool-runner-state.ts'
export type { MessageThread as BetaMessageThread } from './agents/thread.ts'
export type { RunnableTool as BetaRunnableTool } from '../tools/runnable.ts'
export type {
  Batches,
  BatchCancelParams,
  BatchCreateParams,
  BatchDeleteParams,
  BatchListParams,
  BatchResultsParams,
  BatchRetrieveParams,
  MessageCountTokensParams,
  MessageCreateParams,
  MessageCreateParamsBase,
  MessageCreateParamsNonStreaming,
  MessageCreateParamsStreaming,
  MessageStreamParams,
} from './types.ts'
export type { Tool as BetaTool } from '../protocol/types/tool.ts'
export type { RawMessageDeltaEvent as BetaRawMessageDeltaEvent } from '../protocol/types/event.ts'

export type BetaDeletedFile = types.DeletedFile
export type BetaFileMetadata = types.FileMetadata
export type BetaFileScope = types.FileScope
/** A value of the `anthropic-beta` header, such as `context-management-2025-06-27`. */
export type AnthropicBeta = string
export type BetaAssistantMessageParam = types.AssistantMessageParam
export type BetaBase64ImageSource = types.Base64ImageSource
export type BetaBase64PDFSource = types.Base64PDFSource
export type BetaBashCodeExecutionOutputBlock = types.BashCodeExecutionOutputBlock
export type BetaBashCodeExecutionResultBlock = types.BashCodeExecutionResultBlock
export type BetaBashCodeExecutionToolResultBlock = types.BashCodeExecutionToolResultBlock
export type BetaBashCodeExecutionToolResultBlockParam = types.BashCodeExecutionToolResultBlockParam
export type BetaBrowserToolset20260801 = types.BrowserToolset20260801
export type BetaCacheControlEphemeral = types.CacheControlEphemeral
export type BetaCacheCreation = types.CacheCreation
export type BetaCacheMissReason = types.CacheMissReason
export type BetaCitationCharLocation = types.CitationCharLocation
export type BetaCitationContentBlockLocation = types.CitationContentBlockLocation
export type BetaCitationPageLocation = types.CitationPageLocation
export type BetaCitationSearchResultLocation = types.CitationsSearchResultLocation
export type BetaCitationsConfigParam = types.CitationsConfigParam
export type BetaCitationsDelta = types.CitationsDelta
export type BetaCitationsWebSearchResultLocation = types.CitationsWebSearchResultLocation
export type BetaCodeExecutionOutputBlock = types.CodeExecutionOutputBlock
export type BetaCodeExecutionResultBlock = types.CodeExecutionResultBlock
export type BetaCodeExecutionTool20250522 = types.CodeExecutionTool20250522
export type BetaCodeExecutionTool20250825 = types.CodeExecutionTool20250825
export type BetaCodeExecutionTool20260120 = types.CodeExecutionTool20260120
export type BetaCodeExecutionTool20260521 = types.CodeExecutionTool20260521
export type BetaCodeExecutionToolResultBlock = types.CodeExecutionToolResultBlock
export type BetaCodeExecutionToolResultBlockParam = types.CodeExecutionToolResultBlockParam
export type BetaCompactionBlock = types.CompactionBlock
export type BetaCompactionBlockParam = types.CompactionBlockParam
export type BetaCompactionContentBlockDelta = types.CompactionDelta
export type BetaComputerToolset20260801 = types.ComputerToolset20260801
export type BetaContainer = types.Container
export type BetaContainerParams = types.ContainerParams
export type BetaContainerSkill = types.ContainerSkill
export type BetaContainerUploadBlock = types.ContainerUploadBlock
export type BetaContainerUploadBlockParam = types.ContainerUploadBlockParam
export type BetaContentBlock = types.ContentBlock
export type BetaContentBlockParam = types.ContentBlockParam
export type BetaContentBlockSource = types.ContentBlockSource
export type BetaContentBlockSourceContent = types.ContentBlockSourceContent
export type BetaContextManagementConfig = types.ContextManagement
export type BetaDiagnostics = types.Diagnostics
export type BetaDiagnosticsParam = types.DiagnosticsParam
export type BetaEncryptedCodeExecutionResultBlock = types.EncryptedCodeExecutionResultBlock
export type BetaFallbackBlock = types.FallbackBlock
export type BetaFallbackBlockParam = types.FallbackBlockParam
export type BetaFileDocumentSource = types.FileDocumentSource
export type BetaFileImageSource = types.FileImageSource
export type BetaImageBlockParam = types.ImageBlockParam
export type BetaImageTransformationsParam = types.ImageTransformationsParam
export type BetaInputJSONDelta = types.InputJSONDelta
/** The usage of each pass of the model within a request. */
export type BetaIterationsUsage = types.UsageIteration[]
export type BetaJSONOutputFormat = types.JSONOutputFormat
export type BetaMemoryTool20250818 = types.MemoryTool20250818
export type BetaMessage = types.Message
export type BetaMessageContentParam = types.MessageContentParam
export type BetaMessageDeltaUsage = types.MessageDeltaUsage
export type BetaMessageParam = types.MessageParam
export type BetaMessageStreamParams = types.MessageStreamParams
export type BetaMessageThreadParam = types.ThreadParams
export type BetaMessageTokensCount = types.MessageTokensCount
export type BetaMetadata = types.Metadata
export type BetaOutputConfig = types.OutputConfig
export type BetaOutputTokensDetails = types.OutputTokensDetails
export type BetaPlainTextSource = types.PlainTextSource
export type BetaRawContentBlockDelta = types.RawContentBlockDelta
export type BetaRawContentBlockDeltaEvent = types.RawContentBlockDeltaEvent
export type BetaRawContentBlockStartEvent = types.RawContentBlockStartEvent
export type BetaRawContentBlockStopEvent = types.RawContentBlockStopEvent
export type BetaRawMessageStartEvent = types.RawMessageStartEvent
export type BetaRawMessageStopEvent = types.RawMessageStopEvent
export type BetaRawMessageStreamEvent = types.RawMessageStreamEvent
export type BetaRedactedThinkingBlock = types.RedactedThinkingBlock
export type BetaRedactedThinkingBlockParam = types.RedactedThinkingBlockParam
export type BetaRefusalStopDetails = types.RefusalStopDetails
export type BetaRequestDocumentBlock = types.DocumentBlockParam
export type BetaRequestMCPServerURLDefinition = types.MCPServer
export type BetaSearchResultBlockParam = types.SearchResultBlockParam
export type BetaServerToolUsage = types.ServerToolUsage
export type BetaServerToolUseBlock = types.ServerToolUseBlock
export type BetaServerToolUseBlockParam = types.ServerToolUseBlockParam
export type BetaSignatureDelta = types.SignatureDelta
export type BetaSkillParams = types.SkillParams
export type BetaStopReason = types.StopReason
export type BetaSummarizeCompaction = types.CompactionParams
export type BetaSystemMessageParam = types.SystemMessageParam
export type BetaTextBlock = types.TextBlock
export type BetaTextBlockParam = types.TextBlockParam
export type BetaTextCitation = types.TextCitation
export type BetaTextCitationParam = types.TextCitationParam
export type BetaTextDelta = types.TextDelta
export type BetaTextEditorCodeExecutionCreateResultBlock = types.TextEditorCodeExecutionCreateResultBlock
export type BetaTextEditorCodeExecutionStrReplaceResultBlock = types.TextEditorCodeExecutionStrReplaceResultBlock
export type BetaTextEditorCodeExecutionToolResultBlock = types.TextEditorCodeExecutionToolResultBlock
export type BetaTextEditorCodeExecutionToolResultBlockParam = types.TextEditorCodeExecutionToolResultBlockParam
export type BetaTextEditorCodeExecutionViewResultBlock = types.TextEditorCodeExecutionViewResultBlock
export type BetaThinkingBlock = types.ThinkingBlock
export type BetaThinkingBlockParam = types.ThinkingBlockParam
export type BetaThinkingConfigAdaptive = types.ThinkingConfigAdaptive
export type BetaThinkingConfigBetweenTools = types.ThinkingConfigBetweenTools
export type BetaThinkingConfigDisabled = types.ThinkingConfigDisabled
export type BetaThinkingConfigEnabled = types.ThinkingConfigEnabled
export type BetaThinkingConfigParam = types.ThinkingConfigParam
export type BetaThinkingDelta = types.ThinkingDelta
export type BetaToolBash20250124 = types.ToolBash20250124
export type BetaToolChoice = types.ToolChoice
export type BetaToolChoiceAny = types.ToolChoiceAny
export type BetaToolChoiceAuto = types.ToolChoiceAuto
export type BetaToolChoiceNone = types.ToolChoiceNone
export type BetaToolChoiceTool = types.ToolChoiceTool
export type BetaToolReferenceBlock = types.ToolReferenceBlock
export type BetaToolReferenceBlockParam = types.ToolReferenceBlockParam
export type BetaToolResultBlockParam = types.ToolResultBlockParam
export type BetaToolResultContentBlockParam = types.ToolResultContent
export type BetaToolSearchToolResultBlock = types.ToolSearchToolResultBlock
export type BetaToolSearchToolResultBlockParam = types.ToolSearchToolResultBlockParam
export type BetaToolSearchToolSearchResultBlock = types.ToolSearchToolSearchResultBlock
export type BetaToolTextEditor20250124 = types.ToolTextEditor20250124
export type BetaToolTextEditor20250429 = types.ToolTextEditor20250429
export type BetaToolTextEditor20250728 = types.ToolTextEditor20250728
export type BetaToolUnion = types.ToolUnion
export type BetaToolUseBlock = types.ToolUseBlock
export type BetaToolUseBlockParam = types.ToolUseBlockParam
export type BetaToolUseCaller = types.ToolUseCaller
export type BetaURLImageSource = types.URLImageSource
export type BetaURLPDFSource = types.URLPDFSource
export type BetaUsage = types.Usage
export type BetaUserLocation = types.UserLocation
export type BetaUserMessageParam = types.UserMessageParam
export type BetaWebFetchBlock = types.WebFetchBlock
export type BetaWebFetchTool20250910 = types.WebFetchTool20250910
export type BetaWebFetchTool20260209 = types.WebFetchTool20260209
export type BetaWebFetchTool20260309 = types.WebFetchTool20260309
export type BetaWebFetchTool20260318 = types.WebFetchTool20260318
export type BetaWebFetchToolResultBlock = types.WebFetchToolResultBlock
export type BetaWebFetchToolResultBlockParam = types.WebFetchToolResultBlockParam
export type BetaWebSearchResultBlock = types.WebSearchResultBlock
export type BetaWebSearchTool20250305 = types.WebSearchTool20250305
export type BetaWebSearchTool20260209 = types.WebSearchTool20260209
export type BetaWebSearchTool20260318 = types.WebSearchTool20260318
export type BetaWebSearchToolResultBlock = types.WebSearchToolResultBlock
export type BetaWebSearchToolResultBlockParam = types.WebSearchToolResultBlockParam
