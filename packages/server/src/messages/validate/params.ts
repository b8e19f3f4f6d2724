import type {
  BillingPolicy,
  FallbacksParam,
  ThinkingBlockBinding,
  TokenTaskBudget,
  CompactionParams,
  ContainerParams,
  ContextEdit,
  ContextManagement,
  DiagnosticsParam,
  JSONOutputFormat,
  MCPServer,
  MessageCountTokensParams,
  MessageCreateParams,
  MessageParam,
  Metadata,
  OutputConfig,
  SkillParams,
  ThinkingConfigAdaptive,
  ThinkingConfigBetweenTools,
  ThinkingConfigDisabled,
  ThinkingConfigEnabled,
  ThinkingConfigParam,
  ThreadContinueParams,
  ThreadCreateParams,
  ThreadParams,
} from 'colloquy/protocol'
import { cacheControl, contentBlock, textBlock } from './blocks.ts'
import {
  type Optional,
  type Schema,
  type Steps,
  array,
  arrayInSteps,
  beta,
  boolean,
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
  string,
  stringOr,
  tagged,
  text,
  until,
} from './schema.ts'
import { named, shaped } from './shape.ts'
import { tool, toolChoice } from './tools.ts'

/** A message, with the fields that only a system message may have. */
type Message = {
  role: MessageParam['role']
  content: MessageParam['content']
  output_config?: unknown
  clear_at?: string
}

const role: Schema<MessageParam['role']> = shaped(
  (value: unknown, path: string) => {
    if (value !== 'user' && value !== 'assistant' && value !== 'system')
      refuse(path, "Input should be 'user' or 'assistant'")
    return value
  },
  () => ({ enum: ['user', 'assistant', 'system'] }),
)

const message = named(
  'MessageParam',
  objectInSteps<Message>({
    role,
    content: arrayInSteps(contentBlock, { orString: true }),
    output_config: optional(opaque<unknown>()),
    clear_at: optional(literal('next_user_message', 'never')),
  }) as Steps<MessageParam>,
)

const display = optional(nullable(literal('summarized', 'omitted', 'updates')))
const blockBinding: Optional<ThinkingBlockBinding> = beta(
  opaque<ThinkingBlockBinding>(),
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
    effort: optional(nullable(literal('low', 'medium', 'high', 'xhigh', 'max'))),
    format: optional(nullable(format)),
    task_budget: beta(opaque<TokenTaskBudget>(), 'task-budgets-'),
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

const contextManagement = object<ContextManagement>({ edits: optional(array(opaque<ContextEdit>())) })

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
  mcp_servers: beta(array(opaque<MCPServer>()), 'mcp-client-'),
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
  inference_geo: optional(nullable(string)),
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
