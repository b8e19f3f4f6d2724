// The names under `Anthropic.Beta` that have another name here, apart from `Beta`.
import type * as memory from '../../../tools/memory/memory-tool.ts'
import type * as types from '../../types.ts'

/** A value of the `anthropic-beta` header, such as `context-management-2025-06-27`. */
export type AnthropicBeta = string

export type BetaBase64PDFBlock = types.DocumentBlockParam
export type BetaCitationConfig = types.CitationsConfig
export type BetaCitationSearchResultLocation = types.CitationsSearchResultLocation
export type BetaRequestDocumentBlock = types.DocumentBlockParam
export type BetaToolResultContentBlockParam = types.ToolResultContent

export type BetaAdvisorToolResultErrorObject = types.AdvisorToolResultError
export type BetaAdvisorToolResultErrorParam = types.AdvisorToolResultError

export type BetaCompactionConfig = types.CompactionParams
export type BetaCompactionContentBlockDelta = types.CompactionDelta
export type BetaContextManagementConfig = types.ContextManagement
export type BetaInputTokensClearAtLeast = types.InputTokensCount
export type BetaInputTokensTrigger = types.InputTokensCount
export type BetaSummarizeCompaction = types.CompactionParams
export type BetaToolUsesKeep = types.ToolUsesCount
export type BetaToolUsesTrigger = types.ToolUsesCount

/** The organization that pays for a request. */
export type BetaBillTo = NonNullable<types.BillingPolicy['bill_to']>
export type BetaFallbackInfoParam = types.FallbackInfo
export type BetaMessageThreadParam = types.ThreadParams

/** The usage of each pass of the model within a request. */
export type BetaIterationsUsage = types.UsageIteration[]
export type BetaAdvisorMessageIterationUsage = types.UsageIteration & { type: 'advisor_message'; model: types.Model }
export type BetaCompactionIterationUsage = types.UsageIteration & { type: 'compaction' }
export type BetaFallbackMessageIterationUsage = types.UsageIteration & { type: 'fallback_message'; model: types.Model }
export type BetaMessageIterationUsage = types.UsageIteration & { type: 'message' }

export type BetaMCPToolDefaultConfig = types.MCPToolConfig
export type BetaRequestMCPServerToolConfiguration = types.MCPServerToolConfiguration
export type BetaRequestMCPServerURLDefinition = types.MCPServer
export type BetaRequestMCPToolResultBlockParam = types.MCPToolResultBlockParam

export type BetaMemoryTool20250818Command = memory.MemoryCommand
export type BetaMemoryTool20250818CreateCommand = memory.MemoryCreateCommand
export type BetaMemoryTool20250818DeleteCommand = memory.MemoryDeleteCommand
export type BetaMemoryTool20250818InsertCommand = memory.MemoryInsertCommand
export type BetaMemoryTool20250818RenameCommand = memory.MemoryRenameCommand
export type BetaMemoryTool20250818StrReplaceCommand = memory.MemoryStrReplaceCommand
export type BetaMemoryTool20250818ViewCommand = memory.MemoryViewCommand

export type BetaRequestToolAdditionBlock = types.ToolAdditionBlockParam
export type BetaRequestToolRemovalBlock = types.ToolRemovalBlockParam
export type BetaResponseTool = types.Tool
export type BetaResponseToolAdditionBlock = types.ToolAdditionBlock
export type BetaResponseToolChangeMCPToolReference = types.ToolChangeMCPToolReference
export type BetaResponseToolChangeMCPToolsetReference = types.ToolChangeMCPToolsetReference
export type BetaResponseToolChangeToolReference = types.ToolChangeToolReference
export type BetaResponseToolInputSchema = types.ToolInputSchema
export type BetaResponseToolRemovalBlock = types.ToolRemovalBlock
export type BetaResponseToolUnion = types.ToolUnion
export type BetaToolChangeToolDefinition = types.ToolChangeDefinition
export type BetaToolChangeToolDefinitionParam = types.ToolChangeDefinition
