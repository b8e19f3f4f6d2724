import type { AdvisorToolResultBlock } from './beta/advisor.ts'
import type { ContextManagementResponse } from './beta/context-edit.ts'
import type { CompactionBlock } from './beta/compaction.ts'
import type { FallbackBlock, FallbackCreditUsage } from './beta/fallback.ts'
import type { MCPToolListingBlock, MCPToolResultBlock, MCPToolUseBlock } from './beta/mcp.ts'
import type { InputTransformation } from './beta/thinking.ts'
import type { TextBlock } from './content/text.ts'
import type { Model } from './model.ts'
import type {
  BashCodeExecutionToolResultBlock,
  CodeExecutionToolResultBlock,
  ContainerUploadBlock,
  ServerToolUseBlock,
  TextEditorCodeExecutionToolResultBlock,
  ToolSearchToolResultBlock,
  WebFetchToolResultBlock,
  WebSearchToolResultBlock,
} from './server-tools.ts'
import type { ToolUseCaller } from './tools/options.ts'
import type { Unlisted } from './unlisted.ts'

export type { KnownModel, Model } from './model.ts'
export type { TextBlock } from './content/text.ts'

/** One complete reply of the model. */
export interface Message {
  /** Unique; its format is not promised. */
  id: string
  type: 'message'
  role: 'assistant'
  /** The model that replied. For an alias this is the dated id, if there is one. */
  model: Model
  /** May be empty: after `max_tokens: 0`, a refusal before any output, or an `end_turn` right after tool results. */
  content: ContentBlock[]
  /** Why the model stopped. `null` only inside a stream's `message_start`. */
  stop_reason: StopReason | null
  /** The entry of `stop_sequences` that ended the reply. Its text is not part of the content. */
  stop_sequence: string | null
  /** More about a refusal. Absent from servers older than API version 2026-10-21. */
  stop_details?: RefusalStopDetails | null
  container?: Container | null
  /** Why the prompt cache missed, if the request asked for it. */
  diagnostics?: Diagnostics | null
  /** Beta: the edits that the API applied to the history. */
  context_management?: ContextManagementResponse | null
  /** Beta: changes that the API made to the history. */
  input_transformations?: InputTransformation[] | null
  usage: Usage
}

/**
 * Why the model stopped.
 *
 * - `end_turn`: the reply is complete.
 * - `max_tokens`: it reached `max_tokens`; a tool input cut there is unusable.
 * - `stop_sequence`: it wrote one of `stop_sequences`.
 * - `tool_use`: it calls tools and waits for their results.
 * - `pause_turn`: a long turn with server tools paused; send the reply back to continue.
 * - `refusal`: it declined; partial output must not stay in the history.
 * - `model_context_window_exceeded`: the window was full before `max_tokens`; the reply is valid but cut.
 * - `compaction`: it wrote a summary block and paused.
 */
export type StopReason =
  | 'end_turn'
  | 'max_tokens'
  | 'stop_sequence'
  | 'tool_use'
  | 'pause_turn'
  | 'refusal'
  | 'model_context_window_exceeded'
  | 'compaction'
  | (string & {})

/** The reason of a refusal. */
export interface RefusalStopDetails {
  type: 'refusal'
  category: 'cyber' | 'bio' | 'frontier_llm' | 'reasoning_extraction' | 'general_harms' | (string & {}) | null
  explanation: string | null
  /** Beta: lowers the price of the same request to another model. */
  fallback_credit_token?: string | null
  fallback_has_prefill_claim?: boolean | null
  recommended_model?: string | null
}

/** The container that code execution ran in. Pass its id to use it again. */
export interface Container {
  id: string
  /** RFC 3339. */
  expires_at: string
  skills?: ContainerSkill[] | null
}

/** A skill that a container has loaded. */
export interface ContainerSkill {
  type: 'anthropic' | 'custom'
  skill_id: string
  version: string
}

/** A `null` reason means that nothing differed from the previous message. */
export interface Diagnostics {
  cache_miss_reason: CacheMissReason | null
}

/** The first difference from the previous message that made the prompt cache miss. */
export type CacheMissReason =
  | CacheMissModelChanged
  | CacheMissSystemChanged
  | CacheMissToolsChanged
  | CacheMissMessagesChanged
  | CacheMissPreviousMessageNotFound
  | CacheMissUnavailable
  | Unlisted

/** The model differs. */
export interface CacheMissModelChanged {
  type: 'model_changed'
  cache_missed_input_tokens: number
}

/** The system prompt differs. */
export interface CacheMissSystemChanged {
  type: 'system_changed'
  cache_missed_input_tokens: number
}

/** The tools differ. */
export interface CacheMissToolsChanged {
  type: 'tools_changed'
  cache_missed_input_tokens: number
}

/** An earlier message differs. */
export interface CacheMissMessagesChanged {
  type: 'messages_changed'
  cache_missed_input_tokens: number
}

/** The API does not know the previous message. */
export interface CacheMissPreviousMessageNotFound {
  type: 'previous_message_not_found'
}

/** The API could not compare. */
export interface CacheMissUnavailable {
  type: 'unavailable'
}

/**
 * The tokens that a request used. The whole prompt is `input_tokens + cache_creation_input_tokens +
 * cache_read_input_tokens`: the three never overlap.
 */
export interface Usage {
  /** Prompt tokens after the last cache breakpoint: neither read from the cache nor written to it. */
  input_tokens: number
  /** Prompt tokens written to the cache. */
  cache_creation_input_tokens: number | null
  /** Prompt tokens read from the cache. */
  cache_read_input_tokens: number | null
  /** The cache writes by lifetime, on which their price depends. */
  cache_creation?: CacheCreation | null
  /** Includes thinking, even if its text is summarized or left out. */
  output_tokens: number
  output_tokens_details?: OutputTokensDetails | null
  server_tool_use?: ServerToolUsage | null
  service_tier?: 'standard' | 'priority' | 'batch' | (string & {}) | null
  inference_geo?: string | null
  speed?: 'standard' | 'fast' | (string & {}) | null
  /**
   * The usage of each model call, if there may be several: with server tools, compaction, an advisor or fallbacks. Each is
   * billed by itself; the sums above leave some of them out.
   */
  iterations?: UsageIteration[] | null
  /** Beta: whether the token of a refusal lowered the price. */
  fallback_credit?: FallbackCreditUsage | null
}

/** The cache writes by lifetime, in tokens. */
export interface CacheCreation {
  ephemeral_5m_input_tokens: number
  ephemeral_1h_input_tokens: number
}

/** The output tokens by purpose. */
export interface OutputTokensDetails {
  thinking_tokens: number
}

/** Requests of server tools. Some are billed one by one. */
export interface ServerToolUsage {
  web_search_requests: number
  web_fetch_requests?: number
}

/** The usage of one of several passes of the model within a request. */
export interface UsageIteration {
  type: 'message' | 'compaction' | 'advisor_message' | 'fallback_message' | (string & {})
  /** The model of the call. Absent or null: the reply's. */
  model?: Model | null
  input_tokens: number
  cache_creation_input_tokens: number | null
  cache_read_input_tokens: number | null
  cache_creation?: CacheCreation | null
  output_tokens: number
}

// Content

/** A block of a reply. Narrow by `type`; `Unlisted` stands for types that the API adds later. */
export type ContentBlock =
  | TextBlock
  | ThinkingBlock
  | RedactedThinkingBlock
  | ToolUseBlock
  | ServerToolUseBlock
  | WebSearchToolResultBlock
  | WebFetchToolResultBlock
  | CodeExecutionToolResultBlock
  | BashCodeExecutionToolResultBlock
  | TextEditorCodeExecutionToolResultBlock
  | ToolSearchToolResultBlock
  | ContainerUploadBlock
  | CompactionBlock
  | FallbackBlock
  | AdvisorToolResultBlock
  | MCPToolUseBlock
  | MCPToolResultBlock
  | MCPToolListingBlock
  | Unlisted

/** Send it back unchanged: the signature covers it. The text is empty if the display is `omitted`. */
export interface ThinkingBlock {
  type: 'thinking'
  thinking: string
  /** Opaque. */
  signature: string
}

/** Encrypted thinking. Send it back unchanged. */
export interface RedactedThinkingBlock {
  type: 'redacted_thinking'
  /** Opaque. */
  data: string
}

/** A tool call. Answer it with a `tool_result` block that has the same id. */
export interface ToolUseBlock {
  type: 'tool_use'
  id: string
  name: string
  /** The arguments, as the tool's `input_schema` describes them. */
  input: unknown
  caller?: ToolUseCaller
  /** The toolset of the tool, such as `browser`. */
  toolset_name?: string | null
}
