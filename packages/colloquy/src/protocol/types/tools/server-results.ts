// The results of server tools in the form in which they are sent back.
import type { DocumentBlockParam } from '../content/document.ts'
import type {
  BashCodeExecutionOutputBlock,
  BashCodeExecutionResultBlock,
  BashCodeExecutionToolResultBlock,
  CodeExecutionOutputBlock,
  CodeExecutionResultBlock,
  CodeExecutionToolResultBlock,
  ContainerUploadBlock,
  EncryptedCodeExecutionResultBlock,
  TextEditorCodeExecutionCreateResultBlock,
  TextEditorCodeExecutionStrReplaceResultBlock,
  TextEditorCodeExecutionToolResultBlock,
  TextEditorCodeExecutionViewResultBlock,
  ToolReferenceBlock,
  ToolSearchToolResultBlock,
  ToolSearchToolSearchResultBlock,
  WebFetchBlock,
  WebFetchToolResultBlock,
  WebSearchResultBlock,
  WebSearchToolResultBlock,
  CodeExecutionToolResultBlockContent,
  TextEditorCodeExecutionToolResultError,
  ToolSearchToolResultError,
  WebFetchToolResultErrorBlock,
  WebSearchToolResultError,
} from '../server-tools.ts'
import type { CacheControlEphemeral } from './options.ts'

/** A block of a reply as it is sent back. It may have a cache breakpoint. */
type Cacheable<Block> = Block & { cache_control?: CacheControlEphemeral | null }
/** A result as it is sent back, with another content. */
type Result<Block, Content> = Cacheable<Omit<Block, 'content'> & { content: Content }>
/** A part of a result as it is sent back. The fields that may be null may be left out too. */
type Loose<Part> = { [Field in keyof Part as null extends Part[Field] ? never : Field]: Part[Field] } & {
  [Field in keyof Part as null extends Part[Field] ? Field : never]?: Part[Field]
}

// Web search

/** The pages of a web search, or its error, as they are sent back. */
export type WebSearchToolResultBlockParamContent = WebSearchResultBlockParam[] | WebSearchToolResultError
export type WebSearchResultBlockParam = Loose<WebSearchResultBlock>
export type WebSearchToolResultBlockParam = Result<WebSearchToolResultBlock, WebSearchToolResultBlockParamContent>

// Web fetch

export type WebFetchBlockParam = Loose<Omit<WebFetchBlock, 'content'>> & { content: DocumentBlockParam }
export type WebFetchToolResultBlockParam = Result<
  WebFetchToolResultBlock,
  WebFetchToolResultErrorBlock | WebFetchBlockParam
>

// Code execution

export type CodeExecutionToolResultBlockParamContent = CodeExecutionToolResultBlockContent
export type CodeExecutionOutputBlockParam = CodeExecutionOutputBlock
export type CodeExecutionResultBlockParam = CodeExecutionResultBlock
export type EncryptedCodeExecutionResultBlockParam = EncryptedCodeExecutionResultBlock
export type CodeExecutionToolResultBlockParam = Cacheable<CodeExecutionToolResultBlock>

// Shell commands in the container

export type BashCodeExecutionOutputBlockParam = BashCodeExecutionOutputBlock
export type BashCodeExecutionResultBlockParam = BashCodeExecutionResultBlock
export type BashCodeExecutionToolResultBlockParam = Cacheable<BashCodeExecutionToolResultBlock>

// Text editor in the container

export type TextEditorCodeExecutionToolResultErrorParam = Loose<TextEditorCodeExecutionToolResultError>
export type TextEditorCodeExecutionViewResultBlockParam = Loose<TextEditorCodeExecutionViewResultBlock>
export type TextEditorCodeExecutionCreateResultBlockParam = TextEditorCodeExecutionCreateResultBlock
export type TextEditorCodeExecutionStrReplaceResultBlockParam = Loose<TextEditorCodeExecutionStrReplaceResultBlock>
export type TextEditorCodeExecutionToolResultBlockParam = Result<
  TextEditorCodeExecutionToolResultBlock,
  | TextEditorCodeExecutionToolResultErrorParam
  | TextEditorCodeExecutionViewResultBlockParam
  | TextEditorCodeExecutionCreateResultBlockParam
  | TextEditorCodeExecutionStrReplaceResultBlockParam
>

// Tool search

export type ToolSearchToolResultErrorParam = Loose<ToolSearchToolResultError>
export type ToolReferenceBlockParam = Cacheable<ToolReferenceBlock>
/** The tools that a search found, as they are sent back. */
export interface ToolSearchToolSearchResultBlockParam extends Omit<ToolSearchToolSearchResultBlock, 'tool_references'> {
  tool_references: ToolReferenceBlockParam[]
}
export type ToolSearchToolResultBlockParam = Result<
  ToolSearchToolResultBlock,
  ToolSearchToolSearchResultBlockParam | ToolSearchToolResultErrorParam
>

export type ContainerUploadBlockParam = Cacheable<ContainerUploadBlock>
