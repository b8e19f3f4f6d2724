import type { LlamaOptions } from '@colloquy/llama'
import type { Route, Target } from 'colloquy/engines'
import { type JsonSchema, type ModelDefinition, modelDefinitionsSchema } from 'colloquy/protocol'

/** The configuration of `colloquy serve --config FILE`. */
export interface ServeConfig {
  $schema?: string
  port?: number | string
  host?: string
  hosts?: string[]
  origins?: string[]
  engines: Record<string, EngineConfig>
  routes?: Record<string, RouteConfig>
  failover?: { coolDownMs?: number; breakAfter?: number; breakForMs?: number }
  models?: ModelDefinition[]
  lenient?: boolean
  cacheAccounting?: boolean
  passOn?: string
  keys?: Secret[]
  database?: Secret
  redis?: Secret
  limits?: LimitsConfig
  log?: 'text' | 'json' | 'off'
  logContent?: boolean
  metrics?: boolean
  console?: boolean | 'members'
  retainDays?: number
  graceMs?: number
  drainMs?: number
}

/** A text, in which `${NAME}` stands for a variable of the environment, or such a variable. Strings once they are resolved. */
export type Secret = string | { env: string }

export type RouteConfig = string | (string | Target)[] | Route

export interface LimitsConfig {
  maxReplies?: number
  maxBodyBytes?: number
  maxBufferedBytes?: number
  bodyTimeoutMs?: number
  pingMs?: number
  maxConnections?: number
  keepAliveMs?: number
}

export type EngineConfig = ApiConfig | ChatConfig | LocalConfig | OfflineConfig | ScriptConfig

export interface ApiConfig {
  type: 'api'
  baseURL?: string
  apiKey?: Secret | Secret[]
  authToken?: Secret | Secret[]
  headers?: Record<string, Secret>
  timeoutMs?: number
  retries?: number
}

export interface ChatConfig {
  type: 'chat'
  baseURL: string
  apiKey?: Secret | Secret[]
  model?: string
  headers?: Record<string, Secret>
  timeoutMs?: number
  extraBody?: Record<string, unknown>
  unsupported?: 'refuse' | 'drop'
  prefill?: boolean
  sendsThinking?: boolean
}

export interface LocalConfig extends Omit<LlamaOptions, 'onRead' | 'sampling' | 'runtimeFolder'> {
  type: 'local'
}

export interface OfflineConfig {
  type: 'offline'
  wordsPerSecond?: number
}

export interface ScriptConfig {
  type: 'script'
  steps?: unknown[]
  file?: string
  otherwise?: 'offline'
}

/** The fields of a type that the schema describes: all of them. */
type Fields<Config> = Record<keyof Config, JsonSchema>

const text = (description: string): JsonSchema => ({ type: 'string', minLength: 1, description })
const texts = (description: string): JsonSchema => ({ type: 'array', items: { type: 'string' }, description })
const flag = (description: string): JsonSchema => ({ type: 'boolean', description })
const count = (description: string): JsonSchema => ({ type: 'integer', minimum: 1, description })
const ms = (description: string): JsonSchema => ({
  type: 'number',
  minimum: 0,
  description: `${description} Milliseconds.`,
})

function object<Config>(fields: Fields<Config>, required: readonly (keyof Config)[], description: string): JsonSchema {
  return { type: 'object', properties: fields, required, additionalProperties: false, description }
}

const environment = object<{ env: string }>(
  { env: text('The name of the variable.') },
  ['env'],
  'A variable of the environment.',
)
const secret = (description: string): JsonSchema => ({
  anyOf: [{ type: 'string', minLength: 1 }, environment],
  description: `${description} A string, in which \${NAME} is a variable of the environment, or {"env": "NAME"}.`,
})
const secrets = (description: string): JsonSchema => ({
  anyOf: [{ type: 'string', minLength: 1 }, environment, { type: 'array', minItems: 1, items: secret('One of them.') }],
  description: `${description} Several in a list share the requests. \${NAME} and {"env": "NAME"} are variables of the environment.`,
})
const headers: JsonSchema = {
  type: 'object',
  additionalProperties: secret('The value.'),
  description: 'Headers for every request.',
}
const timeout = ms('How long the upstream may take until its first byte.')
const url = (description: string): JsonSchema => ({
  type: 'string',
  pattern: String.raw`^(https?://|.*\$\{)`,
  description,
})

/** The schema of each type of engine. */
export const engineSchemas: Readonly<Record<EngineConfig['type'], JsonSchema>> = {
  api: object<ApiConfig>(
    {
      type: { const: 'api' },
      baseURL: url('The address of the API. Default: ANTHROPIC_BASE_URL, or Claude’s.'),
      apiKey: secrets(
        'The API key. Default: ANTHROPIC_API_KEY, unless baseURL is another server than ANTHROPIC_BASE_URL.',
      ),
      authToken: secrets('A token, sent as Authorization: Bearer.'),
      headers,
      timeoutMs: timeout,
      retries: { type: 'integer', minimum: 0, description: 'Retries before an engine counts as failed. Default 0.' },
    },
    ['type'],
    'Claude, or another server of the Messages API.',
  ),
  chat: object<ChatConfig>(
    {
      type: { const: 'chat' },
      baseURL: url('The address before /chat/completions.'),
      apiKey: secrets('Sent as Authorization: Bearer.'),
      model: text('The model to ask for, whatever the request says. Default: the request’s.'),
      headers,
      timeoutMs: timeout,
      extraBody: { type: 'object', description: 'Fields to add to every request.' },
      unsupported: {
        enum: ['refuse', 'drop'],
        description: 'How to handle parts of a request that the server does not have. Default drop.',
      },
      prefill: flag('Whether the server continues a reply whose beginning is the last message. Default false.'),
      sendsThinking: flag(
        'Whether to send earlier thinking back. Default: true for DeepSeek and Moonshot, else false.',
      ),
    },
    ['type', 'baseURL'],
    'A server of the Chat Completions API: llama.cpp, Ollama, LM Studio, vLLM, OpenAI and others.',
  ),
  local: object<LocalConfig>(
    {
      type: { const: 'local' },
      model: text('The path of a GGUF file, relative to the configuration.'),
      name: text('The name in replies. Default: the file’s name.'),
      contextSize: count('The most tokens of a conversation, prompt and reply together. Default 4,096.'),
      parallel: count('Conversations at once. Default 2.'),
      threads: count('Processor cores to use.'),
      maxQueue: count('Requests that may wait. Default 100.'),
      idleMs: ms('Unload the model after this time without a request; 0 keeps it. Default 600,000.'),
      system: text('The system prompt of requests that have none.'),
    },
    ['type', 'model'],
    'A model in this process.',
  ),
  offline: object<OfflineConfig>(
    {
      type: { const: 'offline' },
      wordsPerSecond: { type: 'number', exclusiveMinimum: 0, description: 'The speed of streams. Default: no limit.' },
    },
    ['type'],
    'Fixed rules that need no model, for tests.',
  ),
  script: object<ScriptConfig>(
    {
      type: { const: 'script' },
      steps: { type: 'array', description: 'The replies and faults in order, as script() takes them.' },
      file: text('A JSON file with the steps, relative to the configuration.'),
      otherwise: { enum: ['offline'], description: 'The engine that answers when no step is left.' },
    },
    ['type'],
    'Scripted replies and faults, for tests.',
  ),
}

const target = object<Target>(
  {
    engine: text('The name of the engine.'),
    model: text('The model to request from it. Default: the request’s.'),
    weight: {
      type: 'number',
      exclusiveMinimum: 0,
      description: 'Its share of the requests, relative to other weights.',
    },
  },
  ['engine'],
  'An engine, and the model to request from it.',
)
const targets: JsonSchema = { type: 'array', minItems: 1, items: { anyOf: [text('The name of an engine.'), target] } }

/** The schemas of a route, by the type of JSON that it is written in. */
export const routeSchemas: Readonly<Record<'string' | 'array' | 'object', JsonSchema>> = {
  string: text('The name of an engine.'),
  array: { ...targets, description: 'The engines in the order in which they are tried.' },
  object: object<Route>(
    {
      to: { anyOf: [text('The name of an engine.'), target, targets], description: 'The engines in order.' },
      fallbackOn: {
        type: 'array',
        items: { enum: ['overload', 'timeout', 'error', 'refusal', 'request'] },
        description: 'The reasons to try the next engine. Default: all but request.',
      },
      firstEventTimeoutMs: ms('How long an engine has until its first event. Default: its own timeout.'),
      maxConcurrent: count('The most replies in flight. Default: no limit.'),
      sticky: flag('Whether a conversation prefers the same engine. Default true.'),
    },
    ['to'],
    'The engines for a model, and how they are used.',
  ),
}

/** The schema of the configuration, for editors and for the check. */
export const configSchema: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Configuration of colloquy serve',
  ...object<ServeConfig>(
    {
      $schema: { type: 'string', description: 'The address of this schema, for editors.' },
      port: {
        anyOf: [
          { type: 'integer', minimum: 0, maximum: 65_535 },
          { type: 'string', pattern: String.raw`^\$\{\w+\}$` },
        ],
        description: 'The port, or ${NAME} for a variable of the environment. Default 4141.',
      },
      host: text('The address to listen on. Default 127.0.0.1: this machine only.'),
      hosts: texts('Other host names that requests may be sent to.'),
      origins: texts('Origins of web pages that may use the server, besides pages of this machine.'),
      engines: {
        type: 'object',
        minProperties: 1,
        additionalProperties: { anyOf: Object.values(engineSchemas) },
        description: 'The engines by name.',
      },
      routes: {
        type: 'object',
        minProperties: 1,
        additionalProperties: { anyOf: Object.values(routeSchemas) },
        description:
          'The engines for a model: by its id, by a beginning and *, or * for all others. Default: the only engine.',
      },
      failover: object<NonNullable<ServeConfig['failover']>>(
        {
          coolDownMs: ms('How long an engine comes last after a 429 or 529 without retry-after. Default 5,000.'),
          breakAfter: count('Failures in a row after which an engine is left alone. Default 5.'),
          breakForMs: ms('How long it is left alone. Default 30,000.'),
        },
        [],
        'How engines that fail are left alone.',
      ),
      models: { ...modelDefinitionsSchema, description: 'Models that the catalogue does not have, or corrections.' },
      lenient: flag('Whether to accept unknown models and fields. Default: unless all engines are offline or script.'),
      cacheAccounting: flag('Whether to report the prompt cache of the API for engines that have none. Default false.'),
      passOn: {
        type: 'string',
        description:
          'The engine of type api whose account runs batches and holds files. Default: batches are run here, and there are no files.',
      },
      keys: {
        type: 'array',
        minItems: 1,
        items: secret('A key.'),
        description:
          'Keys that clients may use, without limits, besides those of colloquy keys. Without any key: everybody on this machine.',
      },
      database: secret('Keys and usage: a SQLite file or postgres://…. Default: the file that colloquy paths shows.'),
      redis: secret('Counts the limits of several servers together: redis://…. Default: each server counts its own.'),
      limits: object<LimitsConfig>(
        {
          maxReplies: count('The most replies in flight. Default 1,000.'),
          maxBodyBytes: count('The size of the largest request body. Default 33,554,432.'),
          maxBufferedBytes: count('The bytes of all bodies that are being read. Default 268,435,456.'),
          bodyTimeoutMs: ms('How long a body may take to arrive. Default 300,000.'),
          pingMs: ms('The silence after which a stream sends a ping. Default 10,000.'),
          maxConnections: count('The most connections. Default 10,000.'),
          keepAliveMs: ms(
            'How long a connection without a request is kept: longer than the balancer does. Default 130,000.',
          ),
        },
        [],
        'Limits of the server.',
      ),
      log: { enum: ['text', 'json', 'off'], description: 'The lines for requests. Default text.' },
      logContent: flag('Whether to log the texts of requests and replies too. Default false.'),
      metrics: flag(
        'Whether to answer GET /metrics for Prometheus. With keys, an admin key may read it. Default false.',
      ),
      console: {
        enum: [true, false, 'members'],
        description:
          'Whether to serve the web console. Elsewhere than on this machine an admin key opens it; "members": any key does, and has chats of its own. Default false.',
      },
      retainDays: count('Days after which the rows of single requests are erased; totals stay. Default 90.'),
      graceMs: ms('How long replies may take to end after a signal. Default 10,000.'),
      drainMs: ms('How long to accept requests after SIGTERM while /readyz says 503. Default 0.'),
    },
    ['engines'],
    'The engines that answer, the models that they answer for, and the clients that may use them.',
  ),
}
