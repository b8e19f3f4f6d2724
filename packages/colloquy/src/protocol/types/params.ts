import type { CitationsConfigParam, TextCitation } from './citation.ts'
import type { CompactionBlock, FallbackBlock, Model, RedactedThinkingBlock, ThinkingBlock } from './message.ts'
import type {
  BashCodeExecutionToolResultBlockParam,
  CodeExecutionToolResultBlockParam,
  ContainerUploadBlockParam,
  ServerToolUseBlockParam,
  TextEditorCodeExecutionToolResultBlockParam,
  ToolReferenceBlockParam,
  ToolSearchToolResultBlockParam,
  ToolUseCaller,
  WebFetchToolResultBlockParam,
  WebSearchToolResultBlockParam,
} from './server-tools.ts'
import type { CacheControlEphemeral, ToolChoice, ToolUnion } from './tool.ts'
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
>

/** The response of `POST /v1/messages/count_tokens`. */
export interface MessageTokensCount {
  /** The whole prompt: messages, system and tools. */
  input_tokens: number
}

/** Information about the request for the API. */
export interface Metadata {
  /** An opaque id of the end user, such as a hash or UUID, not a name or address. At most 256 characters. */
  user_id?: string | null
}

/** Whether and how much the model thinks before it answers. */
export type ThinkingConfigParam =
  | ThinkingConfigEnabled
  | ThinkingConfigAdaptive
  | ThinkingConfigBetweenTools
  | ThinkingConfigDisabled
  | Unlisted

/** The model thinks, with a limit in tokens. */
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

/** The model thinks only between tool calls. */
export interface ThinkingConfigBetweenTools {
  type: 'between_tools'
}

/** The model does not think. */
export interface ThinkingConfigDisabled {
  type: 'disabled'
}

/** The form of thinking in the reply: a summary, or none. */
export type ThinkingDisplay = 'summarized' | 'omitted' | (string & {})

/** The effort and the format of the reply. */
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

/** Edits that the API applies to a long history (beta). */
export interface ContextManagement {
  edits: ContextEdit[]
}

/** For example `{ type: 'clear_tool_uses_20250919' }` or `{ type: 'compact_20260112' }`. */
export interface ContextEdit {
  type: string
  [field: string]: unknown
}

/** Requests a summary of the history as the reply (beta). */
export interface CompactionParams {
  type: 'summarize'
  instructions?: string
}

/** Keeps the history on the server (beta): creates a thread, or continues one. */
export type ThreadParams = { type: 'create' } | { type: 'continue'; previous_message_id: string }

/** An MCP server whose tools the API calls (beta). */
export interface MCPServer {
  type: 'url'
  url: string
  name: string
  authorization_token?: string | null
  tool_configuration?: { enabled?: boolean | null; allowed_tools?: string[] | null } | null
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
}

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
  | Unlisted

/** Text in a request. */
export interface TextBlockParam {
  type: 'text'
  /** Must have a character that is not white space. */
  text: string
  /** The citations of an earlier reply. Not accepted in user messages. */
  citations?: TextCitation[] | null
  cache_control?: CacheControlEphemeral | null
}

/** An image in a request. */
export interface ImageBlockParam {
  type: 'image'
  source: Base64ImageSource | URLImageSource | FileImageSource
  transformations?: ImageTransformationsParam
  cache_control?: CacheControlEphemeral | null
}

/** How the API handles an image that is too large. */
export interface ImageTransformationsParam {
  oversized_image?: 'downsize' | 'error'
}

/** An image as base64. */
export interface Base64ImageSource {
  type: 'base64'
  media_type: 'image/jpeg' | 'image/png' | 'image/gif' | 'image/webp'
  data: string
}

/** An image at a web address. */
export interface URLImageSource {
  type: 'url'
  url: string
}

/** An image that was uploaded through the Files API. */
export interface FileImageSource {
  type: 'file'
  file_id: string
}

/** A document in a request. */
export interface DocumentBlockParam {
  type: 'document'
  source: Base64PDFSource | PlainTextSource | ContentBlockSource | URLPDFSource | FileDocumentSource
  title?: string | null
  /** Tells the model about the document; never cited. */
  context?: string | null
  citations?: CitationsConfigParam | null
  cache_control?: CacheControlEphemeral | null
}

/** A PDF as base64. */
export interface Base64PDFSource {
  type: 'base64'
  media_type: 'application/pdf'
  data: string
}

/** A document of plain text. */
export interface PlainTextSource {
  type: 'text'
  media_type: 'text/plain'
  data: string
}

/** A document of blocks, which are cited as a whole. */
export interface ContentBlockSource {
  type: 'content'
  content: string | ContentBlockSourceContent[]
}

/** A block of such a document. */
export type ContentBlockSourceContent = TextBlockParam | ImageBlockParam

/** A PDF at a web address. */
export interface URLPDFSource {
  type: 'url'
  url: string
}

/** A document that was uploaded through the Files API. */
export interface FileDocumentSource {
  type: 'file'
  file_id: string
}

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
export type CompactionBlockParam = CompactionBlock & { cache_control?: CacheControlEphemeral | null }
export type FallbackBlockParam = FallbackBlock
export type TextCitationParam = TextCitation
