import type {
  AdvisorTool20260301,
  BrowserToolset20260801,
  CodeExecutionTool,
  ComputerToolset20260801,
  MCPToolset,
  MemoryTool20250818,
  Tool,
  ToolBash20241022,
  ToolBash20250124,
  ToolChoice,
  ToolChoiceAny,
  ToolChoiceAuto,
  ToolChoiceNone,
  ToolChoiceTool,
  ToolComputerUse20241022,
  ToolComputerUse20250124,
  ToolComputerUse20251124,
  ToolInputSchema,
  ToolOptions,
  ToolSearchTool,
  ToolTextEditor20241022,
  ToolTextEditor20250124,
  ToolTextEditor20250429,
  ToolTextEditor20250728,
  ToolUnion,
  UserLocation,
  WebFetchTool,
  WebFetchURLSources,
  WebSearchTool,
} from 'colloquy/protocol'
import { citationsConfig, mark, toolName } from './blocks.ts'
import { checkInputSchema } from './json-schema/json-schemas.ts'
import { eitherOf, named, shaped, shapeOf } from './shape.ts'
import {
  type Context,
  type Optional,
  type Schema,
  array,
  boolean,
  dictionary,
  integer,
  json,
  literal,
  nullable,
  object,
  opaque,
  optional,
  refuse,
  strictly,
  string,
  tagged,
} from './schema.ts'

/** The fields that every tool may have. */
type Options = { [K in keyof ToolOptions]-?: Optional<NonNullable<ToolOptions[K]> | Extract<ToolOptions[K], null>> }

const options: Options = {
  cache_control: mark,
  strict: optional(boolean),
  defer_loading: optional(boolean),
  allowed_callers: optional(
    array(
      strictly<NonNullable<ToolOptions['allowed_callers']>[number]>(
        literal('direct', 'code_execution_20250825', 'code_execution_20260120', 'code_execution_20260521'),
        string as Schema<never>,
      ),
    ),
  ),
}

const examples = optional(array(json))

const inputSchema: Schema<ToolInputSchema> = shaped(
  (value: unknown, path: string, context: Context) => {
    const { type } = dictionary(value, path, context)
    if (type === undefined) refuse(`${path}.type`, 'Field required')
    literal('object')(type, `${path}.type`, context)
    const schema = json(value, path, context) as ToolInputSchema
    checkInputSchema(schema, path, context)
    return schema
  },
  () => ({ type: 'object', properties: { type: { const: 'object' } }, required: ['type'] }),
)

const customTool = named(
  'Tool',
  object<Tool>({
    type: optional(nullable(literal('custom'))),
    name: toolName,
    description: optional(string),
    input_schema: inputSchema,
    eager_input_streaming: optional(nullable(boolean)),
    input_examples: examples,
    ...options,
  }),
)

const domains = array(string)
const someDomains = shaped(
  (value: unknown, path: string, context: Context) => {
    const given = domains(value, path, context)
    if (given.length === 0) refuse(path, 'Empty list of domains is ambiguous. Provide at least one domain or null.')
    return given
  },
  () => ({ ...shapeOf(domains), minItems: 1 }),
)

/** The sites that a web tool may visit, and how often. */
function visits(list: Schema<string[]>): {
  max_uses: Optional<number | null>
  allowed_domains: Optional<string[] | null>
  blocked_domains: Optional<string[] | null>
} {
  const domainList = optional(nullable(list))
  return {
    max_uses: optional(nullable(integer({ least: 1 }))),
    allowed_domains: domainList,
    blocked_domains: domainList,
  }
}

/** The check of a web tool, which may have one list of domains. */
function withOneList<T extends WebSearchTool | WebFetchTool>(fields: Schema<T>): Schema<T> {
  return shaped(
    (value: unknown, path: string, context: Context) => {
      const given = fields(value, path, context)
      if (given.allowed_domains && given.blocked_domains)
        refuse(path, 'Only one of allowed_domains or blocked_domains may be set.')
      return given
    },
    () => shapeOf(fields),
  )
}

/** The two versions differ in one field. */
function textEditor<T extends ToolTextEditor20250429 | ToolTextEditor20250728>(type: T['type']): Schema<T> {
  const fields = object<Omit<ToolTextEditor20250728, 'type'> & { type: string }>({
    type: literal(type),
    name: literal('str_replace_based_edit_tool'),
    max_characters: {
      ...optional(nullable(integer({ least: 1 }))),
      isKnown: () => type === 'text_editor_20250728',
    },
    input_examples: examples,
    ...options,
  })
  return alike<T>(fields)
}

/** The check of one of several tools whose fields are the same. */
function alike<T>(fields: Schema<unknown>): Schema<T> {
  return shaped(
    (value: unknown, path: string, context: Context) => fields(value, path, context) as T,
    () => shapeOf(fields),
  )
}

function webSearch(type: WebSearchTool['type']): Schema<WebSearchTool> {
  return withOneList(
    object<WebSearchTool>({
      type: literal(type),
      name: literal('web_search'),
      ...visits(someDomains),
      user_location: optional(
        nullable(
          object<UserLocation>({
            type: literal('approximate'),
            city: optional(nullable(string)),
            country: optional(nullable(string)),
            region: optional(nullable(string)),
            timezone: optional(nullable(string)),
          }),
        ),
      ),
      response_inclusion: inclusion(type),
      ...options,
    }),
  )
}

/** Only the newest versions of web search and web fetch have the option. */
function inclusion(type: string): Optional<'full' | 'excluded'> {
  return { optional: literal('full', 'excluded'), isKnown: () => type.endsWith('_20260318') }
}

function webFetch(type: WebFetchTool['type']): Schema<WebFetchTool> {
  return withOneList(
    object<WebFetchTool>({
      type: literal(type),
      name: literal('web_fetch'),
      // An empty list of allowed domains allows none.
      ...visits(domains),
      max_content_tokens: optional(nullable(integer({ least: 1 }))),
      citations: optional(nullable(citationsConfig)),
      use_cache: optional(boolean),
      response_inclusion: inclusion(type),
      url_sources: optional(nullable(opaque<WebFetchURLSources>())),
      ...options,
    }),
  )
}

function codeExecution(type: CodeExecutionTool['type']): Schema<CodeExecutionTool> {
  return object<CodeExecutionTool>({ type: literal(type), name: literal('code_execution'), ...options })
}

function toolSearch<T extends ToolSearchTool>(type: T['type']): Schema<T> {
  const name = type.replace(/_\d+$/, '') as ToolSearchTool['name']
  const fields = object<ToolOptions & { type: string; name: string }>({
    type: literal(type),
    name: literal(name),
    ...options,
  })
  return alike<T>(fields)
}

const byType = tagged<ToolUnion>(
  {
    bash_20250124: object<ToolBash20250124>({
      type: literal('bash_20250124'),
      name: literal('bash'),
      input_examples: examples,
      ...options,
    }),
    text_editor_20250124: object<ToolTextEditor20250124>({
      type: literal('text_editor_20250124'),
      name: literal('str_replace_editor'),
      input_examples: examples,
      ...options,
    }),
    text_editor_20250429: textEditor<ToolTextEditor20250429>('text_editor_20250429'),
    text_editor_20250728: textEditor<ToolTextEditor20250728>('text_editor_20250728'),
    memory_20250818: object<MemoryTool20250818>({
      type: literal('memory_20250818'),
      name: literal('memory'),
      input_examples: examples,
      ...options,
    }),
    computer_toolset_20260801: opaque<ComputerToolset20260801>(),
    browser_toolset_20260801: opaque<BrowserToolset20260801>(),
    web_search_20250305: webSearch('web_search_20250305'),
    web_search_20260209: webSearch('web_search_20260209'),
    web_search_20260318: webSearch('web_search_20260318'),
    web_fetch_20250910: webFetch('web_fetch_20250910'),
    web_fetch_20260209: webFetch('web_fetch_20260209'),
    web_fetch_20260309: webFetch('web_fetch_20260309'),
    web_fetch_20260318: webFetch('web_fetch_20260318'),
    code_execution_20250522: codeExecution('code_execution_20250522'),
    code_execution_20250825: codeExecution('code_execution_20250825'),
    code_execution_20260120: codeExecution('code_execution_20260120'),
    code_execution_20260521: codeExecution('code_execution_20260521'),
    tool_search_tool_regex_20251119: toolSearch('tool_search_tool_regex_20251119'),
    tool_search_tool_regex: toolSearch('tool_search_tool_regex'),
    tool_search_tool_bm25_20251119: toolSearch('tool_search_tool_bm25_20251119'),
    tool_search_tool_bm25: toolSearch('tool_search_tool_bm25'),
    // Beta tools, passed through unread.
    advisor_20260301: opaque<AdvisorTool20260301>(),
    mcp_toolset: opaque<MCPToolset>(),
    computer_20241022: opaque<ToolComputerUse20241022>(),
    computer_20250124: opaque<ToolComputerUse20250124>(),
    computer_20251124: opaque<ToolComputerUse20251124>(),
    bash_20241022: opaque<ToolBash20241022>(),
    text_editor_20241022: opaque<ToolTextEditor20241022>(),
  },
  { custom: customTool },
)

/** A tool definition. Without a type it is a custom tool. */
export const tool: Schema<ToolUnion> = named(
  'ToolUnion',
  shaped(
    (value: unknown, path: string, context: Context) => {
      const { type } = dictionary(value, path, context)
      return type === undefined || type === null
        ? customTool(value, `${path}.custom`, context)
        : byType(value, path, context)
    },
    () => eitherOf(shapeOf(customTool), shapeOf(byType)),
  ),
)

const isSingle = optional(boolean)

export const toolChoice: Schema<ToolChoice> = named(
  'ToolChoice',
  tagged<ToolChoice>({
    auto: object<ToolChoiceAuto>({ type: literal('auto'), disable_parallel_tool_use: isSingle }),
    any: object<ToolChoiceAny>({ type: literal('any'), disable_parallel_tool_use: isSingle }),
    tool: object<ToolChoiceTool>({ type: literal('tool'), name: string, disable_parallel_tool_use: isSingle }),
    none: object<ToolChoiceNone>({ type: literal('none') }),
  }),
)
