import type { JsonSchema } from 'colloquy/protocol'
import { ref } from './operation.ts'

const string: JsonSchema = { type: 'string' }
const text: JsonSchema = { type: ['string', 'null'] }
const count: JsonSchema = { type: 'integer', minimum: 0 }
const counted: JsonSchema = { type: ['integer', 'null'], minimum: 0 }
const flag: JsonSchema = { type: 'boolean' }
const time: JsonSchema = { type: 'string', format: 'date-time' }
const timeOrNull: JsonSchema = { type: ['string', 'null'], format: 'date-time' }
const anything: JsonSchema = {}

function object(properties: Record<string, JsonSchema>, optional: readonly string[] = []): JsonSchema {
  return { type: 'object', properties, required: Object.keys(properties).filter((name) => !optional.includes(name)) }
}

function list(items: JsonSchema): JsonSchema {
  return { type: 'array', items }
}

function nullable(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: 'null' }] }
}

function page(item: string): JsonSchema {
  return object({ data: list(ref(item)), has_more: flag, first_id: text, last_id: text }, ['first_id', 'last_id'])
}

function oneOfTexts(...values: string[]): JsonSchema {
  return { enum: values }
}

const tokens = object({ input: count, cache_write_5m: count, cache_write_1h: count, cache_read: count, output: count })
const sums = {
  usd: string,
  saved_usd: string,
  estimated: object({ requests: count, usd: string }),
  requests: count,
  failed: count,
  unpriced: count,
  tokens,
  latency: object({ p50_ms: counted, p95_ms: counted }),
}
const money = object({ picoUsd: string, usd: string })

/** The schemas of the responses. Later versions may add fields, so none is closed. */
export const responseSchemas: Readonly<Record<string, JsonSchema>> = {
  Error: object(
    {
      type: { const: 'error' },
      error: object({ type: string, message: string, details: { type: ['object', 'null'] } }, ['details']),
      request_id: text,
    },
    ['request_id'],
  ),
  Message: object({
    id: string,
    type: { const: 'message' },
    role: { const: 'assistant' },
    model: string,
    content: list(object({ type: string })),
    stop_reason: text,
    stop_sequence: text,
    stop_details: anything,
    container: anything,
    diagnostics: anything,
    usage: ref('Usage'),
  }),
  Usage: object({
    input_tokens: count,
    cache_creation_input_tokens: counted,
    cache_read_input_tokens: counted,
    cache_creation: nullable(object({ ephemeral_5m_input_tokens: count, ephemeral_1h_input_tokens: count })),
    output_tokens: count,
    output_tokens_details: anything,
    server_tool_use: anything,
    service_tier: text,
    inference_geo: text,
    speed: text,
  }),
  MessageTokensCount: object({ input_tokens: count }),
  MessageBatch: object({
    id: string,
    type: { const: 'message_batch' },
    processing_status: oneOfTexts('in_progress', 'canceling', 'ended'),
    request_counts: object({ processing: count, succeeded: count, errored: count, canceled: count, expired: count }),
    created_at: time,
    expires_at: time,
    ended_at: timeOrNull,
    cancel_initiated_at: timeOrNull,
    archived_at: timeOrNull,
    results_url: text,
  }),
  MessageBatchPage: page('MessageBatch'),
  MessageBatchDeleted: object({ id: string, type: { const: 'message_batch_deleted' } }),
  MessageBatchResult: object({
    custom_id: string,
    result: {
      oneOf: [
        object({ type: { const: 'succeeded' }, message: ref('Message') }),
        object({ type: { const: 'errored' }, error: ref('Error') }),
        object({ type: oneOfTexts('canceled', 'expired') }),
      ],
    },
  }),
  File: object({
    id: string,
    type: { const: 'file' },
    filename: string,
    mime_type: string,
    size_bytes: count,
    created_at: time,
    downloadable: flag,
    expires_at: timeOrNull,
  }),
  FilePage: object({ data: list(ref('File')), has_more: flag, first_id: text, last_id: text, next_page: text }, [
    'first_id',
    'last_id',
  ]),
  FileDeleted: object({ id: string, type: { const: 'file_deleted' } }),
  Model: object({ id: string, type: { const: 'model' }, display_name: string, created_at: time }),
  ModelPage: page('Model'),
  Status: object({ status: string }),
  Readiness: object({ status: oneOfTexts('ok', 'degraded', 'draining'), problems: list(string) }),
  Key: object(
    {
      type: { const: 'access_key' },
      id: string,
      name: string,
      workspace: string,
      is_admin: flag,
      hint: string,
      secret: { ...string, description: 'Only in the response that made it.' },
      created_at: time,
      expires_at: timeOrNull,
      revoked_at: timeOrNull,
      last_used_at: timeOrNull,
      models: nullable(list(string)),
      limits: { type: 'object' },
      budgets: list(object({ each: string, usd: string, per: string, spent_usd: string, reserved_usd: string })),
    },
    ['secret'],
  ),
  KeyList: object({ data: list(ref('Key')) }),
  KeyDeleted: object({ id: string, type: { const: 'access_key_deleted' } }),
  UsageReport: object(
    {
      type: { const: 'usage' },
      period: object({ since: time, until: time }),
      tz: string,
      by: list(string),
      total: object(sums),
      rows: list(object({ group: { type: 'object' }, ...sums })),
      repriced: { type: 'object' },
    },
    ['repriced'],
  ),
  LedgerRequest: object({
    type: { const: 'request' },
    id: string,
    started_at: time,
    workspace: string,
    key_id: text,
    key: text,
    user_id: text,
    conversation: text,
    source: string,
    engine: text,
    model: string,
    served_model: string,
    tokens,
    usd: text,
    saved_usd: string,
    price: text,
    estimated: flag,
    status: count,
    error_type: text,
    stop_reason: text,
    ttft_ms: counted,
    ms: count,
    request_bytes: count,
    response_bytes: count,
    attempts: count,
  }),
  LedgerRequestPage: object({ data: list(ref('LedgerRequest')), has_more: flag, next: text }),
  Money: money,
  ListedConversation: object(
    {
      id: string,
      owner: string,
      title: string,
      metadata: { type: 'object' },
      shelf: { enum: ['pinned', 'archived'] },
      createdAt: time,
      updatedAt: time,
      messages: count,
      calls: count,
      tokens: count,
      cost: ref('Money'),
      turn: ref('RunningTurn'),
    },
    ['owner', 'title', 'metadata', 'shelf'],
  ),
  RunningTurn: nullable(object({ messageId: string })),
  ConversationPage: object({ data: list(ref('ListedConversation')), hasMore: flag, next: text }),
  Conversation: object(
    {
      id: string,
      owner: string,
      title: string,
      metadata: { type: 'object' },
      shelf: { enum: ['pinned', 'archived'] },
      createdAt: time,
      updatedAt: time,
      head: text,
      settings: { type: 'object' },
      usage: { type: 'object' },
      turn: ref('RunningTurn'),
      path: ref('MessagePage'),
    },
    ['owner', 'title', 'metadata', 'shelf'],
  ),
  ConversationMessage: object({ id: string, role: string }),
  MessagePage: object({ data: list(ref('ConversationMessage')), hasMore: flag }),
  MessageList: object({ data: list(ref('ConversationMessage')) }),
  MessageTree: object({ head: text, data: list(ref('ConversationMessage')) }),
  FoundMessages: object({
    data: list(object({ conversationId: string, messageId: string, role: string, createdAt: time, excerpt: string })),
  }),
  Imported: object({ data: list(object({ id: string, report: { type: 'object' } })) }),
  ConversationDeleted: object({ id: string, restorableUntil: time }),
  Stopped: object({ stopped: flag }),
  Preview: object({
    request: nullable({ type: 'object' }),
    inputTokens: count,
    estimated: flag,
    mostCost: nullable(ref('Money')),
  }),
  Exchange: object({
    request: { type: 'object' },
    exact: flag,
    response: nullable({ type: 'object' }),
    trace: nullable(object({ request: { type: 'object' }, events: list({ type: 'array' }), ms: count })),
  }),
  ReplyCost: object({
    model: string,
    total: nullable(ref('Money')),
    estimated: flag,
    price: nullable(object({ from: string, source: string })),
    lines: list(object({ bucket: string, count, priceUsd: string, cost: ref('Money') })),
  }),
  Tools: object({ data: list(object({ name: string, description: string, runsUnasked: flag }, ['description'])) }),
  ToolResult: object({ type: { const: 'tool_result' }, tool_use_id: string, content: anything, is_error: flag }, [
    'content',
    'is_error',
  ]),
  ModelChoices: object({ data: list(object({ id: string, displayName: string })), defaults: { type: 'object' } }),
}
