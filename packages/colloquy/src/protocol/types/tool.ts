import type { AdvisorTool20260301 } from './beta/advisor.ts'
import type { MCPToolset } from './beta/mcp.ts'
import type {
  ToolBash20241022,
  ToolComputerUse20241022,
  ToolComputerUse20250124,
  ToolComputerUse20251124,
  ToolTextEditor20241022,
} from './beta/tools.ts'
import type { CitationsConfigParam } from './citation.ts'
import type { ToolOptions } from './tools/options.ts'
import type { BrowserToolset20260801, ComputerToolset20260801 } from './tools/toolset.ts'
import type { Unlisted } from './unlisted.ts'

export type { CacheControlEphemeral, ToolOptions } from './tools/options.ts'

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
  | AdvisorTool20260301
  | MCPToolset
  | ToolComputerUse20241022
  | ToolComputerUse20250124
  | ToolComputerUse20251124
  | ToolBash20241022
  | ToolTextEditor20241022
  | Unlisted

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
  required?: readonly string[] | null
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

// Tools that run on the server

export interface WebSearchTool extends ToolOptions {
  type: 'web_search_20250305' | 'web_search_20260209' | 'web_search_20260318'
  name: 'web_search'
  max_uses?: number | null
  allowed_domains?: string[] | null
  blocked_domains?: string[] | null
  user_location?: UserLocation | null
  /** Whether results that code has read are part of the reply. Since version 20260318. */
  response_inclusion?: 'full' | 'excluded'
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
  response_inclusion?: 'full' | 'excluded'
  /** The texts whose URLs may be fetched. */
  url_sources?: WebFetchURLSources | null
}

/** The texts whose URLs may be fetched. */
export interface WebFetchURLSources {
  user_input?: WebFetchURLSourceAll | WebFetchURLSourceNone
  client_tool_results?: WebFetchURLSource
  server_tool_results?: WebFetchURLSource
}

/** The tools whose results may name URLs to fetch. */
export type WebFetchURLSource =
  | WebFetchURLSourceAll
  | WebFetchURLSourceNone
  | WebFetchURLSourceOnly
  | WebFetchURLSourceExcept

/** All texts. */
export interface WebFetchURLSourceAll {
  type: 'all'
}

/** None of the texts. */
export interface WebFetchURLSourceNone {
  type: 'none'
}

/** The results of these tools. */
export interface WebFetchURLSourceOnly {
  type: 'only'
  tools: WebFetchURLSourceToolReference[]
}

/** The results of all other tools. */
export interface WebFetchURLSourceExcept {
  type: 'except'
  tools: WebFetchURLSourceToolReference[]
}

/** A tool by its name. */
export interface WebFetchURLSourceToolReference {
  type: 'tool_reference'
  name: string
}

export interface CodeExecutionTool extends ToolOptions {
  type: 'code_execution_20250522' | 'code_execution_20250825' | 'code_execution_20260120' | 'code_execution_20260521'
  name: 'code_execution'
}

/** Finds tools that have `defer_loading`. */
export type ToolSearchTool = ToolSearchToolRegex20251119 | ToolSearchToolBm25_20251119

export interface ToolSearchToolRegex20251119 extends ToolOptions {
  type: 'tool_search_tool_regex_20251119' | 'tool_search_tool_regex'
  name: 'tool_search_tool_regex'
}

export interface ToolSearchToolBm25_20251119 extends ToolOptions {
  type: 'tool_search_tool_bm25_20251119' | 'tool_search_tool_bm25'
  name: 'tool_search_tool_bm25'
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
