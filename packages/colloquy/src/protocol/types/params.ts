import type { AdvisorToolResultBlockParam } from './beta/advisor.ts'
import type { ContextManagement, CountTokensContextManagementResponse } from './beta/context-edit.ts'
import type { CompactionBlockParam, CompactionParams } from './beta/compaction.ts'
import type { FallbackBlockParam, FallbackCreditTokenParam, FallbacksParam } from './beta/fallback.ts'
import type { MCPServer, MCPToolListingBlockParam, MCPToolResultBlockParam, MCPToolUseBlockParam } from './beta/mcp.ts'
import type { BillingPolicy, ThreadParams } from './beta/request.ts'
import type { ToolAdditionBlockParam, ToolRemovalBlockParam } from './beta/tool-change.ts'
import type { CitationsConfigParam, TextCitation } from './citation.ts'
import type { DocumentBlockParam, ImageBlockParam } from './content/document.ts'
import type { TextBlockParam } from './content/text.ts'
import type { RedactedThinkingBlock, ThinkingBlock } from './message.ts'
import type { Model } from './model.ts'
import type { OutputConfig, ThinkingConfigParam } from './reply-options.ts'
import type {
  BashCodeExecutionToolResultBlockParam,
  CodeExecutionToolResultBlockParam,
  ContainerUploadBlockParam,
  TextEditorCodeExecutionToolResultBlockParam,
  ToolReferenceBlockParam,
  ToolSearchToolResultBlockParam,
  WebFetchToolResultBlockParam,
  WebSearchToolResultBlockParam,
} from './tools/server-results.ts'
import type { ServerToolUseBlockParam } from './server-tools.ts'
import type { ToolChoice, ToolUnion } from './tool.ts'
import type { CacheControlEphemeral, ToolUseCaller } from './tools/options.ts'
import type { BrowserStateBlockParam } from './tools/toolset.ts'
import type { Unlisted } from './unlisted.ts'

export type * from './content/document.ts'
export type { TextBlockParam } from './content/text.ts'
export type * from './reply-options.ts'

/** The body of `POST /v1/messages`. */
export interface MessageCreateParams {
  model: Model
  /** The most tokens of the reply, thinking included. `0` only warms the cache. */
  max_tokens: number
  /** The whole history: the API stores nothing between requests. */
  messages: MessageParam[]
  system?: string | TextBlockParam[]
  /** Default false. */
  stream?: boolean
  /** The model stops when it writes one of these texts, which is then left out of the reply. */
  stop_sequences?: string[]
  /** 0 to 1, default 1. API version 2023-06-01 only, and only models up to 4.6. */
  temperature?: number
  /** 0 to 1. API version 2023-06-01 only, and only models up to 4.6. */
  top_p?: number
  /** From 0. API version 2023-06-01 only, and only models up to 4.6. */
  top_k?: number
  metadata?: Metadata
  tools?: ToolUnion[]
  /** Default `auto` if there are tools. */
  tool_choice?: ToolChoice
  thinking?: ThinkingConfigParam
  output_config?: OutputConfig
  /** Sets a cache breakpoint on the last block that can have one, so that the whole prompt is cached. */
  cache_control?: CacheControlEphemeral | null
  /** Default `auto`: priority capacity if the organization has it. */
  service_tier?: 'auto' | 'standard_only'
  /** `fast` costs more, and some models offer it. Default `standard`. */
  speed?: 'standard' | 'fast' | null
  /** The region that the model runs in. Default: the workspace's setting. */
  inference_geo?: string | null
  /** A container to run code in, from an earlier reply. */
  container?: ContainerParams | string | null
  diagnostics?: DiagnosticsParam | null

  // Beta fields. Each needs its `anthropic-beta` value.

  context_management?: ContextManagement | null
  compaction?: CompactionParams | null
  thread?: ThreadParams | null
  mcp_servers?: MCPServer[]
  /** The models to ask when this one refuses. */
  fallbacks?: FallbacksParam | null
  /** The token of a refusal, which lowers the price of this request. */
  fallback_credit_token?: string | FallbackCreditTokenParam | null
  billing_policy?: BillingPolicy | null
}

/** The body of a request without streaming. */
export interface MessageCreateParamsNonStreaming extends MessageCreateParams {
  stream?: false
}

/** The body of a request with streaming. */
export interface MessageCreateParamsStreaming extends MessageCreateParams {
  stream: true
}

export type MessageCreateParamsBase = MessageCreateParams
/** The body of a request for `messages.stream()`. */
export type MessageStreamParams = Omit<MessageCreateParams, 'stream'>

/** The body of `POST /v1/messages/count_tokens`. */
export type MessageCountTokensParams = Pick<
  MessageCreateParams,
  | 'model'
  | 'messages'
  | 'system'
  | 'tools'
  | 'tool_choice'
  | 'thinking'
  | 'output_config'
  | 'cache_control'
  | 'speed'
  | 'context_management'
  | 'mcp_servers'
  | 'billing_policy'
  | 'compaction'
>

/** The response of `POST /v1/messages/count_tokens`. */
export interface MessageTokensCount {
  /** The whole prompt: messages, system and tools. */
  input_tokens: number
  /** Beta: the tokens before the edits of `context_management`. */
  context_management?: CountTokensContextManagementResponse | null
}

/** Information about the request for the API. */
export interface Metadata {
  /** An opaque id of the end user, such as a hash or UUID, not a name or address. At most 256 characters. */
  user_id?: string | null
}

/** The container of code execution: an existing one, and the skills to load. */
export interface ContainerParams {
  id?: string | null
  skills?: SkillParams[] | null
}

/** A skill to load into the container. */
export interface SkillParams {
  type: 'anthropic' | 'custom'
  skill_id: string
  version?: string
}

/** Requests an explanation of a cache miss. */
export interface DiagnosticsParam {
  previous_message_id?: string | null
}

// Messages

/** A message of the history. */
export type MessageParam = UserMessageParam | AssistantMessageParam | SystemMessageParam

/** A message of the user: text, files or tool results. */
export interface UserMessageParam {
  role: 'user'
  content: MessageContentParam
}

/** An earlier reply. As the last message, on models up to 4.5, the beginning of the next reply (prefill). */
export interface AssistantMessageParam {
  role: 'assistant'
  content: MessageContentParam
}

/** An instruction within the conversation, on models that accept it. The first instruction belongs in `system`. */
export interface SystemMessageParam {
  role: 'system'
  content: MessageContentParam
  /** Beta: when the instruction ends. Default: `never`. */
  clear_at?: 'next_user_message' | 'never' | null
  /** Beta: the effort from this message on. */
  output_config?: SystemMessageOutputConfig | null
}

/** The output settings of a system message (beta). */
export type SystemMessageOutputConfig = Pick<OutputConfig, 'effort'>

/** A string is short for one text block. */
export type MessageContentParam = string | ContentBlockParam[]

/** A block of a message in a request. */
export type ContentBlockParam =
  | TextBlockParam
  | ImageBlockParam
  | DocumentBlockParam
  | SearchResultBlockParam
  | ThinkingBlockParam
  | RedactedThinkingBlockParam
  | ToolUseBlockParam
  | ToolResultBlockParam
  | ServerToolUseBlockParam
  | WebSearchToolResultBlockParam
  | WebFetchToolResultBlockParam
  | CodeExecutionToolResultBlockParam
  | BashCodeExecutionToolResultBlockParam
  | TextEditorCodeExecutionToolResultBlockParam
  | ToolSearchToolResultBlockParam
  | ContainerUploadBlockParam
  | CompactionBlockParam
  | FallbackBlockParam
  | AdvisorToolResultBlockParam
  | MCPToolUseBlockParam
  | MCPToolResultBlockParam
  | MCPToolListingBlockParam
  | ToolAdditionBlockParam
  | ToolRemovalBlockParam
  | Unlisted

/** A search result of the program, which the model may cite. */
export interface SearchResultBlockParam {
  type: 'search_result'
  source: string
  title: string
  content: TextBlockParam[]
  citations?: CitationsConfigParam
  cache_control?: CacheControlEphemeral | null
}

/** The result of a tool call. It must be in the next user message, before blocks of other types. */
export interface ToolResultBlockParam {
  type: 'tool_result'
  tool_use_id: string
  content?: string | ToolResultContent[]
  /** Default false. */
  is_error?: boolean
  toolset_name?: string | null
  cache_control?: CacheControlEphemeral | null
}

/** A block of a tool result. */
export type ToolResultContent =
  | TextBlockParam
  | ImageBlockParam
  | SearchResultBlockParam
  | DocumentBlockParam
  | ToolReferenceBlockParam
  | BrowserStateBlockParam
  | Unlisted

/** A tool call of an earlier reply. */
export interface ToolUseBlockParam {
  type: 'tool_use'
  id: string
  name: string
  input: unknown
  caller?: ToolUseCaller
  toolset_name?: string | null
  cache_control?: CacheControlEphemeral | null
}

export type ThinkingBlockParam = ThinkingBlock
export type RedactedThinkingBlockParam = RedactedThinkingBlock
export type TextCitationParam = TextCitation
