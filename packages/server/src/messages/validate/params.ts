import type {
  AllThinkingTurns,
  BillingPolicy,
  ClearThinking20251015Edit,
  ClearToolUses20250919Edit,
  Compact20260112Edit,
  CompactionParams,
  ContainerParams,
  ContextEdit,
  ContextManagement,
  DiagnosticsParam,
  FallbacksParam,
  InputTokensCount,
  JSONOutputFormat,
  MCPServer,
  MessageCountTokensParams,
  MessageCreateParams,
  MessageParam,
  Metadata,
  OutputConfig,
  SkillParams,
  SystemMessageOutputConfig,
  ThinkingBlockBinding,
  ThinkingConfigAdaptive,
  ThinkingConfigBetweenTools,
  ThinkingConfigDisabled,
  ThinkingConfigEnabled,
  ThinkingConfigParam,
  ThinkingTurns,
  ThreadContinueParams,
  ThreadCreateParams,
  ThreadParams,
  TokenTaskBudget,
  ToolUsesCount,
} from 'colloquy/protocol'
import { cacheControl, contentBlock, textBlock } from './blocks.ts'
import {
  type Context,
  type Optional,
  type Schema,
  type Steps,
  array,
  arrayInSteps,
  beta,
  boolean,
  booleanOr,
  extraInputs,
  integer,
  json,
  literal,
  nullable,
  object,
  objectInSteps,
  opaque,
  optional,
  range,
  refuse,
  strictly,
  string,
  stringOr,
  tagged,
  text,
  until,
} from './schema.ts'
import { named, shaped, shapeOf } from './shape.ts'
import { tool, toolChoice } from './tools.ts'

/** A message, with the fields that only a system message may have. */
type Message = {
  role: MessageParam['role']
  content: MessageParam['content']
  output_config?: SystemMessageOutputConfig | null
  clear_at?: 'next_user_message' | 'never' | null
}

const role: Schema<MessageParam['role']> = shaped(
  (value: unknown, path: string) => {
    if (value !== 'user' && value !== 'assistant' && value !== 'system')
      refuse(path, "Input should be 'user' or 'assistant'")
    return value
  },
  () => ({ enum: ['user', 'assistant', 'system'] }),
)

const effort = optional(nullable(literal('low', 'medium', 'high', 'xhigh', 'max')))

const anyMessage = objectInSteps<Message>({
  role,
  content: arrayInSteps(contentBlock, { orString: true }),
  output_config: beta(
    nullable(object<SystemMessageOutputConfig>({ effort })),
    'mid-conversation-output-config-',
    'per-turn-control-',
  ),
  clear_at: beta(nullable(literal('next_user_message', 'never')), 'mid-conversation-system-clear-at-'),
})

const message: Steps<MessageParam> = named(
  'MessageParam',
  shaped(
    {
      *steps(value: unknown, path: string, context: Context): Generator<void, MessageParam> {
        const given = yield* anyMessage.steps(value, path, context)
        const field = (['output_config', 'clear_at'] as const).find((name) => given[name] !== undefined)
        if (field && given.role !== 'system' && !context.lenient) refuse(`${path}.${field}`, extraInputs)
        return given as MessageParam
      },
    },
    () => shapeOf(anyMessage),
  ),
)

const displays = ['summarized', 'omitted'] as const
const display = optional(
  nullable(
    shaped(
      (value: unknown, path: string, context: Context): (typeof displays)[number] | 'updates' =>
        context.lenient || context.betas.has('thinking-display-updates-2026-08-18')
          ? literal(...displays, 'updates')(value, path, context)
          : literal(...displays)(value, path, context),
      () => ({ enum: [...displays, 'updates'] }),
    ),
  ),
)
const blockBinding: Optional<ThinkingBlockBinding> = beta(
  opaque<ThinkingBlockBinding>({ prefix_mismatch_behavior: optional(literal('error', 'drop_block')) }),
  'thinking-binding-controls-2026-08-01',
)

const thinking = named(
  'ThinkingConfigParam',
  tagged<ThinkingConfigParam>({
    enabled: object<ThinkingConfigEnabled>({
      type: literal('enabled'),
      budget_tokens: integer({ least: 1024 }),
      display,
      block_binding: blockBinding,
    }),
    adaptive: object<ThinkingConfigAdaptive>({
      type: literal('adaptive'),
      display,
      block_binding: blockBinding,
    }),
    between_tools: object<ThinkingConfigBetweenTools>({ type: literal('between_tools') }),
    disabled: object<ThinkingConfigDisabled>({ type: literal('disabled') }),
  }),
)

const format: Schema<JSONOutputFormat> = tagged<JSONOutputFormat>({
  json_schema: object<JSONOutputFormat>({ type: literal('json_schema'), schema: json }),
})

const outputConfig = named(
  'OutputConfig',
  object<OutputConfig>({
    effort,
    format: optional(nullable(format)),
    task_budget: beta(
      nullable(
        opaque<TokenTaskBudget>({
          type: literal('tokens'),
          total: integer({ least: 1 }),
          remaining: optional(nullable(integer({ least: 0 }))),
        }),
      ),
      'task-budgets-',
    ),
  }),
)

const container = stringOr(
  object<ContainerParams>({
    id: optional(nullable(string)),
    skills: optional(
      nullable(
        array(
          object<SkillParams>({
            type: literal('anthropic', 'custom'),
            skill_id: string,
            version: optional(string),
          }),
        ),
      ),
    ),
  }),
)

const inputTokens = opaque<InputTokensCount>({ type: literal('input_tokens'), value: integer({ least: 0 }) })
const toolUses = opaque<ToolUsesCount>({ type: literal('tool_uses'), value: integer({ least: 0 }) })

const contextEdit = tagged<ContextEdit>({
  clear_tool_uses_20250919: object<ClearToolUses20250919Edit>({
    type: literal('clear_tool_uses_20250919'),
    trigger: optional(tagged<InputTokensCount | ToolUsesCount>({ input_tokens: inputTokens, tool_uses: toolUses })),
    keep: optional(toolUses),
    clear_at_least: optional(nullable(inputTokens)),
    clear_tool_inputs: optional(nullable(booleanOr(array(string)))),
    exclude_tools: optional(nullable(array(string))),
  }),
  clear_thinking_20251015: object<ClearThinking20251015Edit>({
    type: literal('clear_thinking_20251015'),
    keep: optional(
      stringOr(
        tagged<ThinkingTurns | AllThinkingTurns>({
          thinking_turns: opaque<ThinkingTurns>({ value: integer({ least: 1 }) }),
          all: opaque<AllThinkingTurns>(),
        }),
      ) as Schema<NonNullable<ClearThinking20251015Edit['keep']>>,
    ),
  }),
  compact_20260112: object<Compact20260112Edit>({
    type: literal('compact_20260112'),
    instructions: optional(nullable(string)),
    pause_after_compaction: optional(boolean),
    trigger: optional(
      nullable(opaque<InputTokensCount>({ type: literal('input_tokens'), value: integer({ least: 50_000 }) })),
    ),
  }),
})

const contextManagement = object<ContextManagement>({ edits: optional(array(contextEdit)) })

const mcpServer = opaque<MCPServer>({
  type: literal('url'),
  url: string,
  name: string,
  authorization_token: optional(nullable(string)),
})

const geos = ['global', 'us']
const inferenceGeo = strictly(
  shaped(
    (value: unknown, path: string, context: Context) => {
      const geo = string(value, path, context)
      if (!geos.includes(geo)) refuse(path, "must be one of ['global', 'us']")
      return geo
    },
    () => ({ enum: geos }),
  ),
  string,
)

/** The fields that both endpoints share. */
const prompt = {
  model: text({ least: 1 }),
  messages: arrayInSteps(message, { most: 100_000 }),
  system: optional(arrayInSteps(textBlock, { orString: true })),
  tools: optional(arrayInSteps(tool)),
  tool_choice: optional(toolChoice),
  thinking: optional(thinking),
  output_config: optional(outputConfig),
  cache_control: optional(nullable(cacheControl)),
  speed: optional(nullable(literal('standard', 'fast'))),
  context_management: beta(nullable(contextManagement), 'context-management-2025-06-27', 'compact-2026-01-12'),
  mcp_servers: beta(array(mcpServer), 'mcp-client-'),
}

const thread = named(
  'ThreadParams',
  tagged<ThreadParams>({
    create: object<ThreadCreateParams>({ type: literal('create') }),
    continue: object<ThreadContinueParams>({ type: literal('continue'), previous_message_id: text({ least: 1 }) }),
  }),
)

/** Parameters that have other names by now. */
export interface OlderParams {
  /** `output_config.format`. */
  output_format?: JSONOutputFormat | null
}

/** A value that the engine checks. */
function asGiven<T>(): Schema<T> {
  return shaped(
    (value: unknown) => value as T,
    () => ({}),
  )
}

const createFields = {
  ...prompt,
  max_tokens: integer({ least: 0 }),
  stream: optional(boolean),
  stop_sequences: optional(array(string)),
  temperature: until('2023-06-01', range(0, 1)),
  top_p: until('2023-06-01', range(0, 1)),
  top_k: until('2023-06-01', integer({ least: 0 })),
  metadata: optional(object<Metadata>({ user_id: optional(nullable(text({ most: 256 }))) })),
  service_tier: optional(literal('auto', 'standard_only')),
  inference_geo: optional(nullable(inferenceGeo)),
  container: optional(nullable(container)),
  diagnostics: optional(nullable(object<DiagnosticsParam>({ previous_message_id: optional(nullable(string)) }))),
  compaction: beta(
    nullable(object<CompactionParams>({ type: literal('summarize'), instructions: optional(nullable(string)) })),
    'compact-2026-09-04',
  ),
  thread: beta(nullable(thread), 'message-threads-2026-08-12'),
  fallbacks: beta(asGiven<FallbacksParam>(), 'server-side-fallback-'),
  fallback_credit_token: beta(string, 'fallback-credit-'),
  billing_policy: beta(asGiven<BillingPolicy>(), 'user-profiles-billing-'),
  output_format: beta(nullable(format), 'structured-outputs-'),
}

export const createParams: Steps<MessageCreateParams & OlderParams> = named(
  'MessageCreateParams',
  objectInSteps<MessageCreateParams & OlderParams>(createFields),
)

const countFields = objectInSteps<MessageCountTokensParams & Partial<MessageCreateParams> & OlderParams>({
  ...createFields,
  max_tokens: optional(createFields.max_tokens),
})

/** Also accepts the body of a create request, so that a client can count what it is about to send. */
export const countTokensParams: Steps<MessageCountTokensParams & OlderParams> = named(
  'MessageCountTokensParams',
  countFields,
)
