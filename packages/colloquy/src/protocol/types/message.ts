import type { TextCitation } from './citation.ts'
import type {
  BashCodeExecutionToolResultBlock,
  CodeExecutionToolResultBlock,
  ContainerUploadBlock,
  ServerToolUseBlock,
  TextEditorCodeExecutionToolResultBlock,
  ToolSearchToolResultBlock,
  ToolUseCaller,
  WebFetchToolResultBlock,
  WebSearchToolResultBlock,
} from './server-tools.ts'
import type { Unlisted } from './unlisted.ts'

/** A model id, such as `claude-sonnet-5-5`. Any string is accepted; `KnownModel` lists those of the catalogue. */
export type Model = KnownModel | (string & {})

/** The ids of the models in the catalogue. */
export type KnownModel =
  | 'claude-fable-5-2'
  | 'claude-mythos-5-2'
  | 'claude-fable-5-1'
  | 'claude-mythos-5-1'
  | 'claude-fable-5'
  | 'claude-mythos-5'
  | 'claude-mythos-preview'
  | 'claude-opus-5-5'
  | 'claude-opus-5'
  | 'claude-opus-4-8'
  | 'claude-opus-4-7'
  | 'claude-opus-4-6'
  | 'claude-opus-4-5'
  | 'claude-opus-4-5-20251101'
  | 'claude-sonnet-5-5'
  | 'claude-sonnet-5'
  | 'claude-sonnet-4-6'
  | 'claude-sonnet-4-5'
  | 'claude-sonnet-4-5-20250929'
  | 'claude-haiku-5-5'
  | 'claude-haiku-4-5'
  | 'claude-haiku-4-5-20251001'

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
export interface CacheMissReason {
  type:
    | 'model_changed'
    | 'system_changed'
    | 'tools_changed'
    | 'messages_changed'
    | 'previous_message_not_found'
    | 'unavailable'
    | (string & {})
  cache_missed_input_tokens?: number
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
  /** With server compaction or fallbacks: the usage of each model call. `compaction` entries are not in the sums above. */
  iterations?: UsageIteration[] | null
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
  | Unlisted

/** Text that the model wrote, with its citations. */
export interface TextBlock {
  type: 'text'
  text: string
  /** The sources of the text, if citations were enabled. */
  citations: TextCitation[] | null
}

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
  toolset_name?: string
}

/** Replaces everything before it when the server compacted the history (beta). Send it back unchanged. */
export interface CompactionBlock {
  type: 'compaction'
  content: string | null
  encrypted_content?: string | null
  signature?: string
}

/** Marks where another model took over after a refusal (beta). Send it back unchanged. */
export interface FallbackBlock {
  type: 'fallback'
  from: { model: Model }
  to: { model: Model }
  trigger?: unknown
}
