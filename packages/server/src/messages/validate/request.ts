import { type MessageCountTokensParams, type MessageCreateParams, type ModelEntry, apiError } from 'colloquy/protocol'
import { checkCacheMarks } from './cache-marks.ts'
import { checkGrammars, checkOutputSchema } from './json-schema/json-schemas.ts'
import { checkMedia } from './media-limits.ts'
import { checkModel, checkModelPrompt, checkSpeed } from './model-rules.ts'
import { countTokensParams, createParams, type OlderParams } from './params.ts'
import { type Context, dictionary, refuse, shortened } from './schema.ts'
import { checkEachMessage, checkText } from './messages.ts'
import { checkSystemMessages, checkTurns, endsInServerTool } from './turns.ts'

/** How a request is checked: the headers it came with, and the server's settings. */
export interface RequestContext {
  version: string
  betas: readonly string[]
  lenient: boolean
  models: { find(id: string): ModelEntry | undefined }
  /** Whether the server keeps threads. */
  threads: boolean
}

/** Checks the body of `POST /v1/messages`. Throws the API's error for the first mistake. */
export function* checkCreate(body: unknown, context: RequestContext): Generator<void, MessageCreateParams> {
  if (!context.threads) refuseThread(body)
  const params = withFormat(yield* createParams.steps(body, '', schemaContext(context)))
  const model = findModel(params.model, context)
  yield* checkPrompt(params, context, model)
  checkStopSequences(params.stop_sequences ?? [])
  checkPreWarm(params)
  if (params.compaction && params.context_management)
    refuse('compaction', '`compaction` and `context_management` cannot both be given')
  if (model) checkModel(params, model, context.betas)
  if (!context.lenient) {
    if (model) checkSpeed(params, model)
    checkContainer(params)
  }
  return params
}

/** A container belongs to tools that run code, among them the newer web tools. */
function checkContainer({ container, tools = [] }: MessageCreateParams): void {
  const id = typeof container === 'string' ? container : container?.id
  if (id && !tools.some(({ type }) => /^(code_execution|web_search|web_fetch)_/.test(type ?? '')))
    refuse('container', 'Container identifier can only be provided when using the code execution tool')
}

/** Checks the body of `POST /v1/messages/count_tokens`, which may be the body of a create request. */
export function* checkCountTokens(body: unknown, context: RequestContext): Generator<void, MessageCountTokensParams> {
  refuseThread(body)
  const params = withFormat(yield* countTokensParams.steps(body, '', schemaContext(context)))
  yield* checkPrompt(params, context, findModel(params.model, context))
  return params
}

/** The parameters with an `output_format` as `output_config.format`, which engines read. */
function withFormat<Params extends MessageCountTokensParams>(given: Params & OlderParams): Params {
  if (given.output_format === undefined) return given
  const { output_format: format, ...rest } = given
  const { output_config } = given
  if (format === null) return rest as Params
  if (output_config?.format) refuse('output_format', 'cannot be combined with `output_config.format`')
  return { ...rest, output_config: { ...output_config, format } } as Params
}

function schemaContext({ lenient, version, betas }: RequestContext): Context {
  return { lenient, version, betas: new Set(betas) }
}

// Ignoring the field would silently lose the history. Clients know this error code and send the whole history from then on.
function refuseThread(body: unknown): void {
  if (dictionary(body, '').thread == null) return
  throw apiError('invalid_request_error', 'thread: not available here, send the whole conversation', {
    error_code: 'thread_unsupported_request',
    unsupported: ['thread'],
  })
}

function findModel(id: string, { models, lenient }: RequestContext): ModelEntry | undefined {
  const model = models.find(id)
  if (!model && !lenient) throw apiError('not_found_error', shortened(`model: ${id}`))
  return model
}

function* checkPrompt(
  params: MessageCountTokensParams,
  { version, lenient }: RequestContext,
  model: ModelEntry | undefined,
): Generator<void> {
  const { messages, system } = params
  yield* checkEachMessage(messages, { version, lenient })
  yield* checkTurns(messages, params.thinking?.type === 'enabled')
  if (Array.isArray(system)) system.forEach((block, index) => checkText(block, `system.${index}`, 'system'))
  checkTools(params)
  checkThinkingEdit(params, model)
  checkOutputSchema(params)
  if (!lenient) checkGrammars(params)
  yield* checkCacheMarks(params)
  yield* checkMedia(messages, (model?.contextTokens ?? 1_000_000) > 200_000 ? 600 : 100)
  yield* checkSystemMessages(messages)
  if (model) checkModelPrompt(params, model, endsInServerTool)
}

function checkTools({ tools = [], tool_choice: choice, thinking }: MessageCountTokensParams): void {
  const names = tools.map((tool) => ('name' in tool ? tool.name : undefined)).filter((name) => name !== undefined)
  if (new Set(names).size < names.length) refuse('tools', 'Tool names must be unique.')
  if (tools.length > 0 && tools.every((tool) => 'defer_loading' in tool && tool.defer_loading === true))
    refuse('', 'All tools have defer_loading: true. At least one tool must be loaded from the start.')
  if (choice?.type === 'tool' && !names.includes(choice.name))
    refuse('', `Tool '${choice.name}' not found in provided tools`)
  if (choice?.type === 'any' && tools.length === 0)
    refuse('', 'tool_choice.any may only be specified while providing tools')
  const isForced = choice?.type === 'any' || choice?.type === 'tool'
  if (isForced && thinking?.type === 'enabled')
    refuse('', 'Thinking may not be enabled when tool_choice forces tool use.')
}

/** Only thinking can be cleared. */
function checkThinkingEdit(params: MessageCountTokensParams, model: ModelEntry | undefined): void {
  const thinking = params.thinking?.type ?? model?.thinking.default ?? 'enabled'
  if (thinking !== 'disabled') return
  if (params.context_management?.edits?.some(({ type }) => type === 'clear_thinking_20251015'))
    refuse('', '`clear_thinking_20251015` strategy requires `thinking` to be enabled or adaptive')
}

function checkStopSequences(sequences: readonly string[]): void {
  if (!sequences.every((sequence) => /\S/.test(sequence)))
    refuse('stop_sequences', 'each stop sequence must contain non-whitespace')
}

/** `max_tokens: 0` only warms the cache, so nothing that requests output may be combined with it. */
function checkPreWarm({ max_tokens, stream, thinking, output_config, tool_choice: choice }: MessageCreateParams): void {
  if (max_tokens !== 0) return
  const asked =
    (stream && 'stream') ||
    (thinking?.type === 'enabled' && 'thinking.enabled') ||
    (output_config?.format && 'output_config.format') ||
    ((choice?.type === 'any' || choice?.type === 'tool') && `tool_choice.${choice.type}`)
  if (asked) refuse('max_tokens', `0 cannot be combined with \`${asked}\``)
}
