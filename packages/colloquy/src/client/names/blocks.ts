// Official names of parts of blocks and of tools that have another name here.
import type {
  CitationCharLocation,
  CitationContentBlockLocation,
  CitationPageLocation,
} from '../../protocol/types/citation.ts'
import type { CitationsSearchResultLocation, CitationsWebSearchResultLocation } from '../../protocol/types/citation.ts'
import type { ToolUseBlock } from '../../protocol/types/message.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import type * as blocks from '../../protocol/types/server-tools.ts'
import type * as beta from '../../protocol/types/beta/tools.ts'
import type * as tools from '../../protocol/types/tool.ts'
import type { BrowserToolset20260801, BrowserToolUseBlock } from '../../protocol/types/tools/toolset.ts'
import type { ComputerToolset20260801, ComputerToolUseBlock } from '../../protocol/types/tools/toolset.ts'

export type CitationCharLocationParam = CitationCharLocation
export type CitationContentBlockLocationParam = CitationContentBlockLocation
export type CitationPageLocationParam = CitationPageLocation
export type CitationSearchResultLocationParam = CitationsSearchResultLocation
export type CitationWebSearchResultLocationParam = CitationsWebSearchResultLocation

export type BashCodeExecutionToolResultErrorObject = blocks.BashCodeExecutionToolResultError
export type BashCodeExecutionToolResultErrorParam = blocks.BashCodeExecutionToolResultError
export type CodeExecutionToolResultErrorObject = blocks.CodeExecutionToolResultError
export type CodeExecutionToolResultErrorParam = blocks.CodeExecutionToolResultError
export type TextEditorCodeExecutionToolResultErrorObject = blocks.TextEditorCodeExecutionToolResultError
export type ToolSearchToolResultErrorObject = blocks.ToolSearchToolResultError
export type WebFetchToolResultErrorBlockParam = blocks.WebFetchToolResultErrorBlock
export type WebSearchToolRequestError = blocks.WebSearchToolResultError
export type WebSearchToolRequestErrorObject = blocks.WebSearchToolResultError
export type WebSearchToolResultErrorObject = blocks.WebSearchToolResultError

/** A tool call, with the inputs of toolsets by the name of the member. */
export type ToolsetToolUseBlock = BrowserToolUseBlock | ComputerToolUseBlock | ToolUseBlock
export type ResponseToolUseBlockUnion = ToolsetToolUseBlock

/** A tool that the program runs. */
export type ClientToolUnion =
  | tools.Tool
  | tools.ToolBash20250124
  | tools.ToolTextEditor20250124
  | tools.ToolTextEditor20250429
  | tools.ToolTextEditor20250728
  | tools.MemoryTool20250818
  | BrowserToolset20260801
  | ComputerToolset20260801
  | beta.ToolBash20241022
  | beta.ToolTextEditor20241022
  | beta.ToolComputerUse20241022
  | beta.ToolComputerUse20250124
  | beta.ToolComputerUse20251124
/** A tool of a request that only counts tokens. */
export type MessageCountTokensTool = tools.ToolUnion
/** A container, or its id. */
export type MessageCreateParamsContainer = NonNullable<MessageCreateParams['container']>
/** A feature that the API cannot combine with a thread. */
export type ThreadUnsupportedFeatureName =
  | 'cache_control'
  | 'context_management'
  | 'fallbacks'
  | 'hipaa'
  | 'inference_hooks'
  | 'thinking'
