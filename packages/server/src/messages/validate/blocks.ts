import type {
  AdvisorToolResultBlockParam,
  Base64ImageSource,
  Base64PDFSource,
  BashCodeExecutionToolResultBlockParam,
  BrowserStateBlockParam,
  CacheControlEphemeral,
  CitationsConfigParam,
  CodeExecutionToolResultBlockParam,
  CompactionBlockParam,
  ContainerUploadBlockParam,
  ContentBlockParam,
  ContentBlockSource,
  DocumentBlockParam,
  FallbackBlockParam,
  FileImageSource,
  ImageBlockParam,
  ImageTransformationsParam,
  MCPToolListingBlockParam,
  MCPToolResultBlockParam,
  MCPToolUseBlockParam,
  PlainTextSource,
  RedactedThinkingBlockParam,
  SearchResultBlockParam,
  ServerToolUseBlockParam,
  TextBlockParam,
  TextCitation,
  TextEditorCodeExecutionToolResultBlockParam,
  ThinkingBlockParam,
  ToolAdditionBlockParam,
  ToolChangeDefinition,
  ToolChangeMCPToolReference,
  ToolChangeMCPToolsetReference,
  ToolChangeToolReference,
  ToolReferenceBlockParam,
  ToolRemovalBlockParam,
  ToolResultBlockParam,
  ToolResultContent,
  ToolSearchToolResultBlockParam,
  ToolUseBlockParam,
  ToolUseCaller,
  URLImageSource,
  WebFetchToolResultBlockParam,
  WebSearchToolResultBlockParam,
} from 'colloquy/protocol'
import { eitherOf, named, shaped, shapeOf } from './shape.ts'
import {
  type Context,
  type Optional,
  type Schema,
  array,
  beta,
  boolean,
  integer,
  json,
  literal,
  nullable,
  object,
  opaque,
  optional,
  strictly,
  string,
  stringOr,
  tagged,
  text,
} from './schema.ts'

const ephemeral = object<CacheControlEphemeral & { scope?: string | null }>({
  type: literal('ephemeral'),
  ttl: optional(literal('5m', '1h')),
  scope: beta(nullable(string), 'prompt-caching-scope-'),
})

/** As in the API, the type is part of a field's path only if the type is right. */
export const cacheControl: Schema<CacheControlEphemeral> = named(
  'CacheControlEphemeral',
  shaped(
    (value: unknown, path: string, context: Context) => {
      const type = (value as { type?: unknown } | null)?.type
      if (type !== undefined && type !== 'ephemeral') literal('ephemeral')(type, `${path}.type`, context)
      return ephemeral(value, type === undefined ? path : `${path}.ephemeral`, context)
    },
    () => shapeOf(ephemeral),
  ),
)

/** The cache breakpoint that most blocks may carry. */
export const mark: Optional<CacheControlEphemeral | null> = optional(nullable(cacheControl))

export const citationsConfig: Schema<CitationsConfigParam> = object<CitationsConfigParam>({
  enabled: optional(boolean),
})

const index = integer()
const inDocument = { cited_text: string, document_index: index, document_title: nullable(string) }

const citation = tagged<TextCitation>({
  char_location: opaque({ ...inDocument, start_char_index: index, end_char_index: index }),
  page_location: opaque({ ...inDocument, start_page_number: index, end_page_number: index }),
  content_block_location: opaque({ ...inDocument, start_block_index: index, end_block_index: index }),
  web_search_result_location: opaque({
    cited_text: string,
    title: nullable(string),
    url: string,
    encrypted_index: string,
  }),
  search_result_location: opaque({
    cited_text: string,
    source: string,
    title: nullable(string),
    search_result_index: index,
    start_block_index: index,
    end_block_index: index,
  }),
})

export const textBlock: Schema<TextBlockParam> = named(
  'TextBlockParam',
  object<TextBlockParam>({
    type: literal('text'),
    text: string,
    citations: optional(nullable(array(citation))),
    cache_control: mark,
  }),
)

const urlSource = object<URLImageSource>({ type: literal('url'), url: string })
const fileSource = object<FileImageSource>({ type: literal('file'), file_id: string })

const imageBlock = named(
  'ImageBlockParam',
  object<ImageBlockParam>({
    type: literal('image'),
    source: tagged<ImageBlockParam['source']>({
      base64: object<Base64ImageSource>({
        type: literal('base64'),
        media_type: literal('image/jpeg', 'image/png', 'image/gif', 'image/webp'),
        data: string,
      }),
      url: urlSource,
      file: fileSource,
    }),
    transformations: optional(
      object<ImageTransformationsParam>({ oversized_image: optional(literal('downsize', 'error')) }),
    ),
    cache_control: mark,
  }),
)

const documentBlock = named(
  'DocumentBlockParam',
  object<DocumentBlockParam>({
    type: literal('document'),
    source: tagged<DocumentBlockParam['source']>({
      base64: object<Base64PDFSource>({
        type: literal('base64'),
        media_type: literal('application/pdf'),
        data: string,
      }),
      text: object<PlainTextSource>({ type: literal('text'), media_type: literal('text/plain'), data: string }),
      content: object<ContentBlockSource>({
        type: literal('content'),
        content: stringOr(array(tagged<TextBlockParam | ImageBlockParam>({ text: textBlock, image: imageBlock }))),
      }),
      url: urlSource,
      file: fileSource,
    }),
    title: optional(nullable(string)),
    context: optional(nullable(string)),
    citations: optional(nullable(citationsConfig)),
    cache_control: mark,
  }),
)

const searchResultBlock = named(
  'SearchResultBlockParam',
  object<SearchResultBlockParam>({
    type: literal('search_result'),
    source: string,
    title: string,
    content: array(textBlock),
    citations: optional(citationsConfig),
    cache_control: mark,
  }),
)

const toolReferenceBlock = object<ToolReferenceBlockParam>({
  type: literal('tool_reference'),
  tool_name: string,
  cache_control: mark,
})

const callId = text({ pattern: /^[a-zA-Z0-9_-]+$/ })

/** The name of a tool, in its definition and in its calls. */
export const toolName: Schema<string> = text({ pattern: /^[a-zA-Z0-9_-]{1,128}$/ })

const toolResultBlock = named(
  'ToolResultBlockParam',
  object<ToolResultBlockParam>({
    type: literal('tool_result'),
    tool_use_id: callId,
    content: optional(
      stringOr(
        array(
          tagged<ToolResultContent>({
            text: textBlock,
            image: imageBlock,
            search_result: searchResultBlock,
            document: documentBlock,
            tool_reference: toolReferenceBlock,
            browser_state: opaque<BrowserStateBlockParam>(),
          }),
        ),
      ),
    ),
    is_error: optional(boolean),
    toolset_name: optional(nullable(string)),
    cache_control: mark,
  }),
)

const caller: Optional<ToolUseCaller> = optional(opaque<ToolUseCaller>())

const toolUseBlock = named(
  'ToolUseBlockParam',
  object<ToolUseBlockParam>({
    type: literal('tool_use'),
    id: callId,
    name: toolName,
    input: json,
    caller,
    toolset_name: optional(nullable(string)),
    cache_control: mark,
  }),
)

const serverCallId = strictly(text({ pattern: /^srvtoolu_[a-zA-Z0-9_]+$/ }), string)

const serverToolUseBlock = object<ServerToolUseBlockParam>({
  type: literal('server_tool_use'),
  id: serverCallId,
  name: strictly<string>(
    literal(
      'web_search',
      'web_fetch',
      'code_execution',
      'bash_code_execution',
      'text_editor_code_execution',
      'tool_search_tool_regex',
      'tool_search_tool_bm25',
      'advisor',
    ),
    string,
  ),
  input: json,
  caller,
  cache_control: mark,
})

/** The result of a server tool. Its content is passed through; only the fields around it are checked. */
function serverToolResult<T extends { type: string; tool_use_id: string }>(type: T['type']): Schema<T> {
  const fields = object<{
    type: string
    tool_use_id: string
    content: unknown
    caller?: ToolUseCaller
    cache_control?: CacheControlEphemeral | null
  }>({
    type: literal(type),
    tool_use_id: serverCallId,
    content: serverToolContent,
    caller,
    cache_control: mark,
  })
  return shaped(
    (value: unknown, path: string, context: Context) => fields(value, path, context) as unknown as T,
    () => shapeOf(fields),
  )
}

const results = array(json)

/** An object, or the list of a search. */
const serverToolContent: Schema<unknown> = shaped(
  (value: unknown, path: string, context: Context): unknown =>
    Array.isArray(value) ? results(value, path, context) : json(value, path, context),
  () => eitherOf(shapeOf(results), shapeOf(json)),
)

const toolReferences = {
  tool_reference: opaque<ToolChangeToolReference>({ name: string }),
  mcp_tool_reference: opaque<ToolChangeMCPToolReference>({ server_name: string, name: string }),
  mcp_toolset_reference: opaque<ToolChangeMCPToolsetReference>({ server_name: string }),
}

/** Any content block. The role that may send it is checked with the message. */
export const contentBlock: Schema<ContentBlockParam> = named(
  'ContentBlockParam',
  tagged<ContentBlockParam>({
    text: textBlock,
    image: imageBlock,
    document: documentBlock,
    search_result: searchResultBlock,
    thinking: object<ThinkingBlockParam>({ type: literal('thinking'), thinking: string, signature: string }),
    redacted_thinking: object<RedactedThinkingBlockParam>({ type: literal('redacted_thinking'), data: string }),
    tool_use: toolUseBlock,
    tool_result: toolResultBlock,
    server_tool_use: serverToolUseBlock,
    web_search_tool_result: serverToolResult<WebSearchToolResultBlockParam>('web_search_tool_result'),
    web_fetch_tool_result: serverToolResult<WebFetchToolResultBlockParam>('web_fetch_tool_result'),
    code_execution_tool_result: serverToolResult<CodeExecutionToolResultBlockParam>('code_execution_tool_result'),
    bash_code_execution_tool_result: serverToolResult<BashCodeExecutionToolResultBlockParam>(
      'bash_code_execution_tool_result',
    ),
    text_editor_code_execution_tool_result: serverToolResult<TextEditorCodeExecutionToolResultBlockParam>(
      'text_editor_code_execution_tool_result',
    ),
    tool_search_tool_result: serverToolResult<ToolSearchToolResultBlockParam>('tool_search_tool_result'),
    container_upload: object<ContainerUploadBlockParam>({
      type: literal('container_upload'),
      file_id: string,
      cache_control: mark,
    }),
    compaction: opaque<CompactionBlockParam>(),
    fallback: opaque<FallbackBlockParam>(),
    // Blocks of betas, passed through unread.
    mcp_tool_use: opaque<MCPToolUseBlockParam>(),
    mcp_tool_result: opaque<MCPToolResultBlockParam>(),
    mcp_tool_listing: opaque<MCPToolListingBlockParam>(),
    advisor_tool_result: opaque<AdvisorToolResultBlockParam>(),
    tool_addition: opaque<ToolAdditionBlockParam>({
      tool: tagged<ToolAdditionBlockParam['tool']>({
        ...toolReferences,
        tool_definition: opaque<ToolChangeDefinition>({ definition: json }),
      }),
    }),
    tool_removal: opaque<ToolRemovalBlockParam>({ tool: tagged<ToolRemovalBlockParam['tool']>(toolReferences) }),
  }),
)
