import type { CitationsConfigParam } from './citation.ts'
import type { Base64PDFSource, PlainTextSource } from './content/document.ts'
import type { CacheControlEphemeral, ToolUseCaller } from './tools/options.ts'

export type { DirectCaller, ServerToolCaller, ServerToolCaller20260120, ToolUseCaller } from './tools/options.ts'

// The blocks of tools that run on the server, in replies and in requests.

/** A call of a tool that runs on the server. Its result is in the same reply. */
export interface ServerToolUseBlock {
  type: 'server_tool_use'
  id: string
  name:
    | 'web_search'
    | 'web_fetch'
    | 'code_execution'
    | 'bash_code_execution'
    | 'text_editor_code_execution'
    | 'tool_search_tool_regex'
    | 'tool_search_tool_bm25'
    | 'advisor'
    | (string & {})
  input: unknown
  caller?: ToolUseCaller
}

/** A call of a server tool in an earlier reply. */
export interface ServerToolUseBlockParam {
  type: 'server_tool_use'
  id: string
  name: string
  input: unknown
  caller?: ToolUseCaller
  cache_control?: CacheControlEphemeral | null
}

/** The result of a web search, or its error. */
export interface WebSearchToolResultBlock {
  type: 'web_search_tool_result'
  tool_use_id: string
  content: WebSearchToolResultBlockContent
  caller?: ToolUseCaller
}

/** One page that a web search found. Send it back unchanged. */
export interface WebSearchResultBlock {
  type: 'web_search_result'
  title: string
  url: string
  /** Opaque; send it back with the block. */
  encrypted_content: string
  page_age: string | null
}

/** The result of fetching a web page, or its error. */
export interface WebFetchToolResultBlock {
  type: 'web_fetch_tool_result'
  tool_use_id: string
  content: WebFetchBlock | WebFetchToolResultErrorBlock
  caller?: ToolUseCaller
}

/** A fetched web page. */
export interface WebFetchBlock {
  type: 'web_fetch_result'
  url: string
  content: DocumentBlock
  retrieved_at: string | null
}

/** The document that a web fetch returned. */
export interface DocumentBlock {
  type: 'document'
  source: Base64PDFSource | PlainTextSource
  title: string | null
  citations: CitationsConfig | null
}

/** Whether a fetched document can be cited. */
export type CitationsConfig = Required<CitationsConfigParam>

/** The result of a code execution, or its error. */
export interface CodeExecutionToolResultBlock {
  type: 'code_execution_tool_result'
  tool_use_id: string
  content: CodeExecutionToolResultBlockContent
}

/** The output of a code execution. */
export interface CodeExecutionResultBlock {
  type: 'code_execution_result'
  stdout: string
  stderr: string
  return_code: number
  content: CodeExecutionOutputBlock[]
}

/** The output of a code execution whose standard output is encrypted. */
export interface EncryptedCodeExecutionResultBlock {
  type: 'encrypted_code_execution_result'
  encrypted_stdout: string
  stderr: string
  return_code: number
  content: CodeExecutionOutputBlock[]
}

/** A file that a code execution created. */
export interface CodeExecutionOutputBlock {
  type: 'code_execution_output'
  file_id: string
}

/** The result of a shell command in the container, or its error. */
export interface BashCodeExecutionToolResultBlock {
  type: 'bash_code_execution_tool_result'
  tool_use_id: string
  content: BashCodeExecutionResultBlock | BashCodeExecutionToolResultError
}

/** The output of a shell command in the container. */
export interface BashCodeExecutionResultBlock {
  type: 'bash_code_execution_result'
  stdout: string
  stderr: string
  return_code: number
  content: BashCodeExecutionOutputBlock[]
}

/** A file that a shell command in the container created. */
export interface BashCodeExecutionOutputBlock {
  type: 'bash_code_execution_output'
  file_id: string
}

/** The result of a text editor command in the container, or its error. */
export interface TextEditorCodeExecutionToolResultBlock {
  type: 'text_editor_code_execution_tool_result'
  tool_use_id: string
  content:
    | TextEditorCodeExecutionViewResultBlock
    | TextEditorCodeExecutionCreateResultBlock
    | TextEditorCodeExecutionStrReplaceResultBlock
    | TextEditorCodeExecutionToolResultError
}

/** The content of a file in the container. */
export interface TextEditorCodeExecutionViewResultBlock {
  type: 'text_editor_code_execution_view_result'
  content: string
  file_type: 'text' | 'image' | 'pdf'
  num_lines: number | null
  start_line: number | null
  total_lines: number | null
}

/** The outcome of writing a file in the container. */
export interface TextEditorCodeExecutionCreateResultBlock {
  type: 'text_editor_code_execution_create_result'
  is_file_update: boolean
}

/** The lines that a replacement in a file of the container changed. */
export interface TextEditorCodeExecutionStrReplaceResultBlock {
  type: 'text_editor_code_execution_str_replace_result'
  lines: string[] | null
  new_lines: number | null
  new_start: number | null
  old_lines: number | null
  old_start: number | null
}

/** The result of a tool search, or its error. */
export interface ToolSearchToolResultBlock {
  type: 'tool_search_tool_result'
  tool_use_id: string
  content: ToolSearchToolSearchResultBlock | ToolSearchToolResultError
}

/** The tools that a search found. */
export interface ToolSearchToolSearchResultBlock {
  type: 'tool_search_tool_search_result'
  tool_references: ToolReferenceBlock[]
}

/** A reference to a tool by its name. */
export interface ToolReferenceBlock {
  type: 'tool_reference'
  tool_name: string
}

/** A file that code in the container created. */
export interface ContainerUploadBlock {
  type: 'container_upload'
  file_id: string
}

// Errors

/** Why a web search failed. */
export type WebSearchToolResultErrorCode =
  | 'invalid_tool_input'
  | 'unavailable'
  | 'max_uses_exceeded'
  | 'too_many_requests'
  | 'query_too_long'
  | 'request_too_large'

/** The error of a web search. */
export interface WebSearchToolResultError {
  type: 'web_search_tool_result_error'
  error_code: WebSearchToolResultErrorCode
}

/** The pages that a web search found, or its error. */
export type WebSearchToolResultBlockContent = WebSearchToolResultError | WebSearchResultBlock[]

/** Why a web fetch failed. */
export type WebFetchToolResultErrorCode =
  | 'invalid_tool_input'
  | 'url_too_long'
  | 'url_not_allowed'
  | 'url_not_in_prior_context'
  | 'url_not_accessible'
  | 'unsupported_content_type'
  | 'too_many_requests'
  | 'max_uses_exceeded'
  | 'unavailable'
  | 'content_too_large'

/** The error of a web fetch. */
export interface WebFetchToolResultErrorBlock {
  type: 'web_fetch_tool_result_error'
  error_code: WebFetchToolResultErrorCode
}

/** Why a code execution failed. */
export type CodeExecutionToolResultErrorCode =
  | 'invalid_tool_input'
  | 'unavailable'
  | 'too_many_requests'
  | 'execution_time_exceeded'

/** The error of a code execution. */
export interface CodeExecutionToolResultError {
  type: 'code_execution_tool_result_error'
  error_code: CodeExecutionToolResultErrorCode
}

/** The output of a code execution, or its error. */
export type CodeExecutionToolResultBlockContent =
  | CodeExecutionToolResultError
  | CodeExecutionResultBlock
  | EncryptedCodeExecutionResultBlock

/** Why a shell command in the container failed. */
export type BashCodeExecutionToolResultErrorCode = CodeExecutionToolResultErrorCode | 'output_file_too_large'

/** The error of a shell command in the container. */
export interface BashCodeExecutionToolResultError {
  type: 'bash_code_execution_tool_result_error'
  error_code: BashCodeExecutionToolResultErrorCode
}

/** Why a text editor command in the container failed. */
export type TextEditorCodeExecutionToolResultErrorCode = CodeExecutionToolResultErrorCode | 'file_not_found'

/** The error of a text editor command in the container. */
export interface TextEditorCodeExecutionToolResultError {
  type: 'text_editor_code_execution_tool_result_error'
  error_code: TextEditorCodeExecutionToolResultErrorCode
  error_message: string | null
}

/** Why a tool search failed. */
export type ToolSearchToolResultErrorCode = CodeExecutionToolResultErrorCode

/** The error of a tool search. */
export interface ToolSearchToolResultError {
  type: 'tool_search_tool_result_error'
  error_code: ToolSearchToolResultErrorCode
  error_message: string | null
}
