import type { CacheControlEphemeral } from './tool.ts'

// The blocks of tools that run on the server, in replies and in requests.

/** The caller: the model itself, or code that runs in the container. Send it back unchanged. */
export interface ToolUseCaller {
  type: 'direct' | 'code_execution_20250825' | 'code_execution_20260120' | (string & {})
  tool_id?: string
}

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
  content: WebSearchResultBlock[] | ServerToolResultError<'web_search_tool_result_error'>
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
  content: WebFetchBlock | ServerToolResultError<'web_fetch_tool_result_error'>
  caller?: ToolUseCaller
}

/** A fetched web page. */
export interface WebFetchBlock {
  type: 'web_fetch_result'
  url: string
  content: unknown
  retrieved_at: string | null
}

/** The result of a code execution, or its error. */
export interface CodeExecutionToolResultBlock {
  type: 'code_execution_tool_result'
  tool_use_id: string
  content:
    | CodeExecutionResultBlock
    | EncryptedCodeExecutionResultBlock
    | ServerToolResultError<'code_execution_tool_result_error'>
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
  content: BashCodeExecutionResultBlock | ServerToolResultError<'bash_code_execution_tool_result_error'>
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
    | ServerToolResultError<'text_editor_code_execution_tool_result_error'>
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
  content: ToolSearchToolSearchResultBlock | ServerToolResultError<'tool_search_tool_result_error'>
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

/** The error of a server tool, such as `max_uses_exceeded` or `unavailable`. */
export interface ServerToolResultError<Type extends string> {
  type: Type
  error_code: string
  error_message?: string | null
}

/** A file that code in the container created. */
export interface ContainerUploadBlock {
  type: 'container_upload'
  file_id: string
}

export type ToolReferenceBlockParam = Cacheable<ToolReferenceBlock>
export type WebSearchToolResultBlockParam = Cacheable<WebSearchToolResultBlock>
export type WebFetchToolResultBlockParam = Cacheable<WebFetchToolResultBlock>
export type CodeExecutionToolResultBlockParam = Cacheable<CodeExecutionToolResultBlock>
export type BashCodeExecutionToolResultBlockParam = Cacheable<BashCodeExecutionToolResultBlock>
export type TextEditorCodeExecutionToolResultBlockParam = Cacheable<TextEditorCodeExecutionToolResultBlock>
export type ToolSearchToolResultBlockParam = Cacheable<ToolSearchToolResultBlock>
export type ContainerUploadBlockParam = Cacheable<ContainerUploadBlock>

/** A block of a reply as it is sent back. It may have a cache breakpoint. */
type Cacheable<Block> = Block & { cache_control?: CacheControlEphemeral | null }
