import type { Engine, EngineContext } from '../../protocol/types/engine.ts'
import { apiError } from '../../protocol/types/error-response.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import type { CompactionBlock } from '../../protocol/types/beta/compaction.ts'
import type { Usage } from '../../protocol/types/message.ts'
import type { ModelEntry } from '../../protocol/models/model-entry.ts'
import { findModel } from '../../protocol/models/models.ts'
import type { MessageCountTokensParams, MessageCreateParams, MessageTokensCount } from '../../protocol/types/params.ts'
import { aboveZero, checkOptions, clockRule, listWith, type Rule } from '../check-options.ts'
import { type Clock, systemClock, throwIfAborted } from '../clock.ts'
import { emptyMessage } from '../reply/empty-message.ts'
import { inPieces } from '../pieces.ts'
import { type CachePlan, PromptCache } from '../prompt/prompt-cache.ts'
import { cachedPrompt, tokenRules } from '../prompt/cached-prompt.ts'
import { countInSteps, countPromptTokens } from '../prompt/tokens.ts'
import { type Compaction, compactionOf, fromCompaction, iterationsOf } from './compaction.ts'
import { draftReply } from './reply.ts'
import { Writer } from './writer.ts'

/** Options of `offline()`. */
export interface OfflineOptions {
  /** Words per second of a stream. Default: as fast as it is read. */
  wordsPerSecond?: number
  /** Times the stream and the prompt cache. Default: the machine's clock. */
  clock?: Clock
  /** Models to add to the catalogue or change in it. An unknown model gets the rules of the newest. */
  models?: readonly ModelEntry[]
}

const rules = { wordsPerSecond: aboveZero, clock: clockRule, models: listWith('id') } satisfies Record<
  keyof OfflineOptions,
  Rule
>

/**
 * An engine without a model: a small program that answers by fixed rules and says so.
 *
 * It reads the whole history, streams word by word, and follows the API's rules for `max_tokens`, `stop_sequences`, prefill,
 * `system`, tools, JSON output, thinking, compaction, token counts and the prompt cache (in memory, one per engine), so that
 * tests against it are meaningful. The same request gets the same reply, except for ids.
 *
 * @example
 * ```ts
 * import { openConversations } from 'colloquy/conversation'
 * import { offline } from 'colloquy/engines'
 *
 * const chat = await openConversations({ engine: offline() }).create({ model: 'claude-sonnet-4-6', max_tokens: 100 })
 * console.log((await chat.send('What is 6 * 7?')).text) // 6 * 7 = 42
 * ```
 */
export function offline(options: OfflineOptions = {}): Engine {
  checkOptions(options, rules, 'offline()')
  const { wordsPerSecond = Infinity, clock = systemClock, models = [] } = options
  const cache = new PromptCache(() => clock.now())

  async function* reply(given: MessageCreateParams, context: EngineContext = {}): AsyncGenerator<MessageStreamEvent> {
    const { signal } = context
    throwIfAborted(signal)
    const params = fromCompaction(given)
    const model = findModel(params.model, models)
    const plan = await inPieces(planCache(cache, params, model))
    const prompt = promptTokensOf(plan)
    const window = model?.contextTokens ?? 1_000_000
    if (prompt > window)
      throw apiError('invalid_request_error', `prompt is too long: ${prompt} tokens > ${window} maximum`)
    const compaction = compactionOf(params, prompt)
    // Before the first event: a schema that cannot be satisfied is a response with status 400.
    const draft = compaction?.pauses ? undefined : await inPieces(draftOf(params, model))
    const usage = compaction ? compactedUsage(compaction, plan, params, model) : usageOf(plan, params.speed)
    yield { type: 'message_start', message: emptyMessage(model?.id ?? params.model, usage) }
    plan.commit()
    if (compaction) yield* replayBlock(compaction.block)
    if (!draft) return yield* pauseOf(usage)
    const writer = new Writer(draft, {
      blocksBefore: compaction ? 1 : 0,
      maxTokens: Math.min(params.max_tokens, window - prompt),
      stopSequences: params.stop_sequences ?? [],
      showsThinking: showsThinking(params, model),
    })
    for (const event of params.max_tokens > 0 ? writer.events() : []) {
      if (event.type === 'content_block_delta' && wordsPerSecond < Infinity)
        await clock.wait(1_000 / wordsPerSecond, signal)
      throwIfAborted(signal)
      yield event
    }
    yield messageDelta(writer, params, usage)
    yield { type: 'message_stop' }
  }

  async function countTokens(params: MessageCountTokensParams): Promise<MessageTokensCount> {
    const rules = tokenRules(findModel(params.model, models))
    return { input_tokens: await inPieces(countInSteps(fromCompaction(params), rules)) }
  }

  return Object.assign(reply, { countTokens })
}

function* draftOf(params: MessageCreateParams, model: ModelEntry | undefined): ReturnType<typeof draftReply> {
  const draft = yield* draftReply(params)
  return { ...draft, thinking: shouldThink(params, model) ? draft.thinking : undefined }
}

/**
 * Whether to think: only if the request asks for it. A model that thinks by itself may decide not to, and this engine always
 * does. As in the API, forced calls and prefilled replies have no thinking.
 */
function shouldThink(
  { thinking, tool_choice: choice, messages }: MessageCreateParams,
  model: ModelEntry | undefined,
): boolean {
  if (choice?.type === 'any' || choice?.type === 'tool' || messages.at(-1)?.role === 'assistant') return false
  return (thinking?.type === 'enabled' || thinking?.type === 'adaptive') && (!model || model.thinking.types.length > 0)
}

function showsThinking({ thinking }: MessageCreateParams, model: ModelEntry | undefined): boolean {
  const asked = thinking && 'display' in thinking ? thinking.display : undefined
  return (asked ?? model?.thinking.display ?? 'omitted') !== 'omitted'
}

function* planCache(
  cache: PromptCache,
  params: MessageCreateParams,
  model: ModelEntry | undefined,
): Generator<void, CachePlan> {
  const { segments, ...options } = yield* cachedPrompt(params, model)
  return yield* cache.planInSteps(segments, options)
}

function promptTokensOf({ usage: { input, read, written5m, written1h } }: CachePlan): number {
  return input + read + written5m + written1h
}

function usageOf({ usage: { input, read, written5m, written1h } }: CachePlan, speed: Usage['speed']): Usage {
  return {
    input_tokens: input,
    cache_creation_input_tokens: written5m + written1h,
    cache_read_input_tokens: read,
    cache_creation: { ephemeral_5m_input_tokens: written5m, ephemeral_1h_input_tokens: written1h },
    output_tokens: 1,
    output_tokens_details: null,
    server_tool_use: null,
    service_tier: 'standard',
    inference_geo: 'global',
    speed: speed ?? null,
  }
}

/** The usage of the reply's own model call, with the compaction of the whole prompt in `iterations`. */
function compactedUsage(
  compaction: Compaction,
  plan: CachePlan,
  params: MessageCreateParams,
  model: ModelEntry | undefined,
): Usage {
  const prompt = usageOf(plan, params.speed)
  const input = countPromptTokens({ ...params, messages: compaction.messages }, tokenRules(model))
  const usage = usageOf({ ...plan, usage: { input, read: 0, written5m: 0, written1h: 0 } }, params.speed)
  return { ...usage, iterations: iterationsOf(compaction, prompt, usage) }
}

function* replayBlock(block: CompactionBlock): Generator<MessageStreamEvent> {
  const { content, encrypted_content = null } = block
  const shell: CompactionBlock = { type: 'compaction', content: null, encrypted_content: null }
  yield { type: 'content_block_start', index: 0, content_block: shell }
  yield { type: 'content_block_delta', index: 0, delta: { type: 'compaction_delta', content, encrypted_content } }
  yield { type: 'content_block_stop', index: 0 }
}

/** Ends a reply that is only the block. Its usage is the compaction alone. */
function* pauseOf({ iterations }: Usage): Generator<MessageStreamEvent> {
  const none = { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 }
  const usage = { ...none, cache_creation: null, iterations: iterations?.slice(0, 1) ?? null }
  yield { type: 'message_delta', delta: { stop_reason: 'compaction', stop_sequence: null, stop_details: null }, usage }
  yield { type: 'message_stop' }
}

function messageDelta(
  writer: Writer,
  { max_tokens: maxTokens }: MessageCreateParams,
  usage: Usage,
): MessageStreamEvent {
  const { stopReason, stopSequence, outputTokens, thinkingTokens } = writer
  const isWindow = stopReason === 'max_tokens' && outputTokens < maxTokens
  const reason = maxTokens === 0 ? 'max_tokens' : isWindow ? 'model_context_window_exceeded' : stopReason
  const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, cache_creation = null } = usage
  const output_tokens = maxTokens === 0 ? 0 : Math.max(1, outputTokens)
  const iterations = usage.iterations?.map((call) => (call.type === 'message' ? { ...call, output_tokens } : call))
  return {
    type: 'message_delta',
    delta: { stop_reason: reason, stop_sequence: stopSequence, stop_details: null },
    usage: {
      input_tokens,
      cache_creation_input_tokens,
      cache_read_input_tokens,
      cache_creation,
      output_tokens,
      output_tokens_details: thinkingTokens > 0 ? { thinking_tokens: thinkingTokens } : null,
      ...(iterations && { iterations }),
    },
  }
}
