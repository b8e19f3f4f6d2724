import type { CacheControlEphemeral } from './cache-control.ts'
import type { CitationsConfigParam, TextCitation } from './citation.ts'
import type {
  BashCodeExecutionToolResultBlock,
  CodeExecutionToolResultBlock,
  CompactionBlock,
  ContainerUploadBlock,
  FallbackBlock,
  Model,
  RedactedThinkingBlock,
  TextEditorCodeExecutionToolResultBlock,
  ThinkingBlock,
  ToolReferenceBlock,
  ToolSearchToolResultBlock,
  ToolUseCaller,
  WebFetchToolResultBlock,
  WebSearchToolResultBlock,
} from './message.ts'
import type { ToolChoice, ToolUnion } from './tool.ts'
import type { Unlisted } from './unlisted.ts'

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
  thread?: ThreadParams
  mcp_servers?: MCPServer[]
}

export interface MessageCreateParamsNonStreaming extends MessageCreateParams {
  stream?: false
}

export interface MessageCreateParamsStreaming extends MessageCreateParams {
  stream: true
}

export type MessageCreateParamsBase = MessageCreateParams
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
>

export interface MessageTokensCount {
  /** The whole prompt: messages, system and tools. */
  input_tokens: number
}

export interface Metadata {
  /** An opaque id of the end user, such as a hash or UUID, not a name or address. At most 256 characters. */
  user_id?: string | null
}

export type ThinkingConfigParam =
  | ThinkingConfigEnabled
  | ThinkingConfigAdaptive
  | ThinkingConfigBetweenTools
  | ThinkingConfigDisabled
  | Unlisted

export interface ThinkingConfigEnabled {
  type: 'enabled'
  /** At least 1024 and less than `max_tokens`. */
  budget_tokens: number
  display?: ThinkingDisplay | null
}

/** The model decides how much to think. `output_config.effort` guides it. */
export interface ThinkingConfigAdaptive {
  type: 'adaptive'
  display?: ThinkingDisplay | null
}

export interface ThinkingConfigBetweenTools {
  type: 'between_tools'
}

export interface ThinkingConfigDisabled {
  type: 'disabled'
}

export type ThinkingDisplay = 'summarized' | 'omitted' | (string & {})

export interface OutputConfig {
  /** Default: the model's own, `high` or `medium`. */
  effort?: 'low' | 'medium' | 'high' | 'xhigh' | 'max' | null
  format?: JSONOutputFormat | null
}

/** The reply is one JSON text that satisfies the schema. */
export interface JSONOutputFormat {
  type: 'json_schema'
  schema: { [key: string]: unknown }
}

export interface ContainerParams {
  id?: string | null
  skills?: SkillParams[] | null
}

export interface SkillParams {
  type: 'anthropic' | 'custom'
  skill_id: string
  version?: string
}

export interface DiagnosticsParam {
  previous_message_id?: string | null
}

export interface ContextManagement {
  edits: ContextEdit[]
}

/** For example `{ type: 'clear_tool_uses_20250919' }` or `{ type: 'compact_20260112' }`. */
export interface ContextEdit {
  type: string
  [field: string]: unknown
}

export interface CompactionParams {
  type: 'summarize'
  instructions?: string
}

export type ThreadParams = { type: 'create' } | { type: 'continue'; previous_message_id: string }

export interface MCPServer {
  type: 'url'
  url: string
  name: string
  authorization_token?: string | null
  tool_configuration?: { enabled?: boolean | null; allowed_tools?: string[] | null } | null
}

// Messages

export type MessageParam = UserMessageParam | AssistantMessageParam | SystemMessageParam

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
}

/** A string is short for one text block. */
export type MessageContentParam = string | ContentBlockParam[]

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
  | Unlisted

export interface TextBlockParam {
  type: 'text'
  /** Must have a character that is not white space. */
  text: string
  /** The citations of an earlier reply. Not accepted in user messages. */
  citations?: TextCitation[] | null
  cache_control?: CacheControlEphemeral | null
}

export interface ImageBlockParam {
  type: 'image'
  source: Base64ImageSource | URLImageSource | FileImageSource
  transformations?: ImageTransformationsParam
  cache_control?: CacheControlEphemeral | null
}

export interface ImageTransformationsParam {
  oversized_image?: 'downsize' | 'error'
}

export interface Base64ImageSource {
  type: 'base64'
  media_type: 'image/jpeg' | 'image/png' | 'image/gif' | 'image/webp'
  data: string
}

export interface URLImageSource {
  type: 'url'
  url: string
}

export interface FileImageSource {
  type: 'file'
  file_id: string
}

export interface DocumentBlockParam {
  type: 'document'
  source: Base64PDFSource | PlainTextSource | ContentBlockSource | URLPDFSource | FileDocumentSource
  title?: string | null
  /** Tells the model about the document; never cited. */
  context?: string | null
  citations?: CitationsConfigParam | null
  cache_control?: CacheControlEphemeral | null
}

export interface Base64PDFSource {
  type: 'base64'
  media_type: 'application/pdf'
  data: string
}

export interface PlainTextSource {
  type: 'text'
  media_type: 'text/plain'
  data: string
}

export interface ContentBlockSource {
  type: 'content'
  content: string | ContentBlockSourceContent[]
}

export type ContentBlockSourceContent = TextBlockParam | ImageBlockParam

export interface URLPDFSource {
  type: 'url'
  url: string
}

export interface FileDocumentSource {
  type: 'file'
  file_id: string
}

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

export type ToolResultContent =
  | TextBlockParam
  | ImageBlockParam
  | SearchResultBlockParam
  | DocumentBlockParam
  | ToolReferenceBlockParam
  | Unlisted

export interface ToolUseBlockParam {
  type: 'tool_use'
  id: string
  name: string
  input: unknown
  caller?: ToolUseCaller
  toolset_name?: string | null
  cache_control?: CacheControlEphemeral | null
}

export interface ServerToolUseBlockParam {
  type: 'server_tool_use'
  id: string
  name: string
  input: unknown
  caller?: ToolUseCaller
  cache_control?: CacheControlEphemeral | null
}

export type ThinkingBlockParam = ThinkingBlock
export type RedactedThinkingBlockParam = RedactedThinkingBlock
export type ToolReferenceBlockParam = Cacheable<ToolReferenceBlock>
export type WebSearchToolResultBlockParam = Cacheable<WebSearchToolResultBlock>
export type WebFetchToolResultBlockParam = Cacheable<WebFetchToolResultBlock>
export type CodeExecutionToolResultBlockParam = Cacheable<CodeExecutionToolResultBlock>
export type BashCodeExecutionToolResultBlockParam = Cacheable<BashCodeExecutionToolResultBlock>
export type TextEditorCodeExecutionToolResultBlockParam = Cacheable<TextEditorCodeExecutionToolResultBlock>
export type ToolSearchToolResultBlockParam = Cacheable<ToolSearchToolResultBlock>
export type ContainerUploadBlockParam = Cacheable<ContainerUploadBlock>
export type CompactionBlockParam = Cacheable<CompactionBlock>
export type FallbackBlockParam = FallbackBlock
export type TextCitationParam = TextCitation

/** A block of a reply as it is sent back. It may have a cache breakpoint. */
type Cacheable<Block> = Block & { cache_control?: CacheControlEphemeral | null }
