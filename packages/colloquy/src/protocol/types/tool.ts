import type { CitationsConfigParam } from './citation.ts'
import type { Unlisted } from './unlisted.ts'

/** A tool of a request: of the program, or of the API. */
export type ToolUnion =
  | Tool
  | ToolBash20250124
  | ToolTextEditor20250124
  | ToolTextEditor20250429
  | ToolTextEditor20250728
  | MemoryTool20250818
  | ComputerToolset20260801
  | BrowserToolset20260801
  | WebSearchTool
  | WebFetchTool
  | CodeExecutionTool
  | ToolSearchTool
  | Unlisted

/** The fields that every tool definition may have. */
export interface ToolOptions {
  cache_control?: CacheControlEphemeral | null
  /** The model writes only calls that satisfy the schema. */
  strict?: boolean
  /** The model does not see the tool until a tool search finds it. */
  defer_loading?: boolean
  allowed_callers?: string[]
}

/** A custom tool: the model writes the input, and the program answers with a `tool_result` block. */
export interface Tool extends ToolOptions {
  type?: 'custom' | null
  /** 1 to 128 letters, digits, `_` and `-`. Some servers accept 64 at most. */
  name: string
  description?: string
  input_schema: ToolInputSchema
  /** Streams the input character by character, not field by field. It may end as invalid JSON. */
  eager_input_streaming?: boolean | null
  input_examples?: Array<{ [key: string]: unknown }>
}

export declare namespace Tool {
  export type InputSchema = ToolInputSchema
}

/** JSON Schema, draft 2020-12, of an object. */
export interface ToolInputSchema {
  type: 'object'
  properties?: unknown
  required?: string[] | null
  [keyword: string]: unknown
}

// Tools that Anthropic defines and the program runs

export interface ToolBash20250124 extends ToolOptions {
  type: 'bash_20250124'
  name: 'bash'
  input_examples?: Array<{ [key: string]: unknown }>
}

export interface ToolTextEditor20250124 extends ToolOptions {
  type: 'text_editor_20250124'
  name: 'str_replace_editor'
  input_examples?: Array<{ [key: string]: unknown }>
}

export interface ToolTextEditor20250429 extends ToolOptions {
  type: 'text_editor_20250429'
  name: 'str_replace_based_edit_tool'
  input_examples?: Array<{ [key: string]: unknown }>
}

export interface ToolTextEditor20250728 extends ToolOptions {
  type: 'text_editor_20250728'
  name: 'str_replace_based_edit_tool'
  max_characters?: number | null
  input_examples?: Array<{ [key: string]: unknown }>
}

export interface MemoryTool20250818 extends ToolOptions {
  type: 'memory_20250818'
  name: 'memory'
  input_examples?: Array<{ [key: string]: unknown }>
}

/** A set of tools that are called one by one. The calls have a `toolset_name`. */
export interface ComputerToolset20260801 extends ToolOptions {
  type: 'computer_toolset_20260801'
  [option: string]: unknown
}

/** A set of tools that are called one by one. The calls have a `toolset_name`. */
export interface BrowserToolset20260801 extends ToolOptions {
  type: 'browser_toolset_20260801'
  [option: string]: unknown
}

// Tools that run on the server

export interface WebSearchTool extends ToolOptions {
  type: 'web_search_20250305' | 'web_search_20260209' | 'web_search_20260318'
  name: 'web_search'
  max_uses?: number | null
  allowed_domains?: string[] | null
  blocked_domains?: string[] | null
  user_location?: UserLocation | null
}

export interface WebFetchTool extends ToolOptions {
  type: 'web_fetch_20250910' | 'web_fetch_20260209' | 'web_fetch_20260309' | 'web_fetch_20260318'
  name: 'web_fetch'
  max_uses?: number | null
  allowed_domains?: string[] | null
  blocked_domains?: string[] | null
  max_content_tokens?: number | null
  citations?: CitationsConfigParam | null
  use_cache?: boolean
}

export interface CodeExecutionTool extends ToolOptions {
  type: 'code_execution_20250522' | 'code_execution_20250825' | 'code_execution_20260120' | 'code_execution_20260521'
  name: 'code_execution'
}

export interface ToolSearchTool extends ToolOptions {
  type:
    | 'tool_search_tool_regex_20251119'
    | 'tool_search_tool_regex'
    | 'tool_search_tool_bm25_20251119'
    | 'tool_search_tool_bm25'
  name: 'tool_search_tool_regex' | 'tool_search_tool_bm25'
}

/** The approximate location of the user, for search results. */
export interface UserLocation {
  type: 'approximate'
  city?: string | null
  /** ISO 3166-1, two letters. */
  country?: string | null
  region?: string | null
  /** An IANA name, such as `Europe/Paris`. */
  timezone?: string | null
}

// The official client's names for the dated versions.
export type WebSearchTool20250305 = WebSearchTool & { type: 'web_search_20250305' }
export type WebSearchTool20260209 = WebSearchTool & { type: 'web_search_20260209' }
export type WebSearchTool20260318 = WebSearchTool & { type: 'web_search_20260318' }

type Place = UserLocation

export declare namespace WebSearchTool20250305 {
  /** The approximate location of the user, for search results. */
  export type UserLocation = Place
}

export declare namespace WebSearchTool20260209 {
  /** The approximate location of the user, for search results. */
  export type UserLocation = Place
}

export type WebFetchTool20250910 = WebFetchTool & { type: 'web_fetch_20250910' }
export type WebFetchTool20260209 = WebFetchTool & { type: 'web_fetch_20260209' }
export type WebFetchTool20260309 = WebFetchTool & { type: 'web_fetch_20260309' }
export type WebFetchTool20260318 = WebFetchTool & { type: 'web_fetch_20260318' }
export type CodeExecutionTool20250522 = CodeExecutionTool & { type: 'code_execution_20250522' }
export type CodeExecutionTool20250825 = CodeExecutionTool & { type: 'code_execution_20250825' }
export type CodeExecutionTool20260120 = CodeExecutionTool & { type: 'code_execution_20260120' }
export type CodeExecutionTool20260521 = CodeExecutionTool & { type: 'code_execution_20260521' }

/** The tools that the model may or must call. Models of the 5.1 and 5.5 lines accept only `auto` and `none`. */
export type ToolChoice = ToolChoiceAuto | ToolChoiceAny | ToolChoiceTool | ToolChoiceNone

/** The model decides whether to call a tool. */
export interface ToolChoiceAuto {
  type: 'auto'
  /** Allows at most one call in a reply. Default false. */
  disable_parallel_tool_use?: boolean
}

/** The model must call one of the tools. */
export interface ToolChoiceAny {
  type: 'any'
  disable_parallel_tool_use?: boolean
}

/** The model must call this tool. */
export interface ToolChoiceTool {
  type: 'tool'
  name: string
  disable_parallel_tool_use?: boolean
}

/** The model must not call a tool. */
export interface ToolChoiceNone {
  type: 'none'
}

/** Marks the end of a prompt prefix to be cached. At most four a request. */
export interface CacheControlEphemeral {
  type: 'ephemeral'
  /** How long the entry lives after its last use. Default `5m`. */
  ttl?: '5m' | '1h'
}
