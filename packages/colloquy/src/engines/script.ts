import type { Engine, EngineContext } from '../protocol/types/engine.ts'
import { APIError, type ErrorDetails, type ErrorType } from '../protocol/types/error.ts'
import { apiError } from '../protocol/types/error-response.ts'
import type { MessageStreamEvent, PingEvent } from '../protocol/types/event.ts'
import type { ContentBlock, Message, Usage } from '../protocol/types/message.ts'
import type { MessageCountTokensParams, MessageCreateParams, MessageTokensCount } from '../protocol/types/params.ts'
import { replay } from '../protocol/codec/replay.ts'
import { callable, checkOptions, clockRule, type Rule } from './check-options.ts'
import { type Clock, systemClock, throwIfAborted } from './clock.ts'
import { newId } from './id.ts'
import { emptyMessage } from './reply/empty-message.ts'
import { countPromptTokens, countTokens } from './prompt/tokens.ts'
import { checkSteps, hasStepKey } from './script-checks.ts'
import { type WireEnd, WireFault } from './wire-fault.ts'

/** The reply of a step: a text, a message or parts of one, or the events. */
export type ScriptedReply = string | ScriptedMessage | ReadonlyArray<MessageStreamEvent | PingEvent>

/** The parts of a message that matter to the test. The rest is filled in. */
export type ScriptedMessage = Partial<Omit<Message, 'content'>> & { content: string | ContentBlock[] }

/** A reply, and the fault in it. */
export interface Step {
  /** Selects the requests that the step answers. Default: any. */
  when?: (params: MessageCreateParams, context: EngineContext) => boolean
  /** The number of requests that the step answers. Default 1. */
  times?: number
  /** Default: an empty text, so that a step can be a fault alone. */
  reply?: ScriptedReply
  /** The number of events before the fault. Default: none before an error, all before other faults. */
  after?: number
  /** An error of the API: before the first event a response with its status, later an `error` event. */
  error?: ScriptedError
  /** Breaks the connection, or closes it normally. */
  cut?: WireEnd
  /** Raw bytes to write before the connection ends. */
  bytes?: string | Uint8Array
  /** Sends nothing more until the caller aborts. */
  stall?: boolean
  /** Milliseconds before the first event. Default 0. */
  delayMs?: number
  /** Milliseconds between two events. Default 0. */
  eventDelayMs?: number
}

/** An API error of a script. */
export interface ScriptedError {
  type: ErrorType
  /** Default: the API's message for the type. */
  message?: string
  /** Default: the status of the type. */
  status?: number
  details?: ErrorDetails
  /** Response headers, such as `retry-after`. */
  headers?: Record<string, string>
}

/** A request that the engine received. */
export interface ScriptedRequest {
  params: MessageCreateParams
  context: EngineContext
}

/** Options of `script()`. */
export interface ScriptOptions {
  /** The engine that answers if no step does. Default: an `api_error` that clients do not retry. */
  otherwise?: Engine
  /** Default: the machine's clock. */
  clock?: Clock
}

export interface ScriptEngine extends Engine {
  /** Copies of all requests, in order. */
  readonly requests: readonly ScriptedRequest[]
  /** The number of steps that were not used up. */
  readonly remaining: number
}

const rules = { otherwise: callable, clock: clockRule } satisfies Record<keyof ScriptOptions, Rule>

/**
 * An engine that plays a script. Each request gets the first remaining step that matches. Throws an `AnthropicError` for a
 * step or option that is not known.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { engineFetch, script } from 'colloquy/engines'
 *
 * const engine = script([{ error: { type: 'overloaded_error' } }, 'Paris.'])
 * const client = new Anthropic({ fetch: engineFetch(engine), apiKey: 'any' })
 * const messages = [{ role: 'user' as const, content: 'What is the capital of France?' }]
 * await client.messages.create({ model: 'claude-sonnet-4-6', max_tokens: 100, messages })
 * console.log(engine.requests.length) // 2
 * ```
 */
export function script(steps: ReadonlyArray<ScriptedReply | Step>, options: ScriptOptions = {}): ScriptEngine {
  checkOptions(options, rules, 'script()')
  checkSteps(steps)
  const { otherwise, clock = systemClock } = options
  const requests: ScriptedRequest[] = []
  const left = steps.map((step) => ({ step: toStep(step), times: isStep(step) ? (step.times ?? 1) : 1 }))

  const remaining = (): number => left.filter(({ times }) => times > 0).length

  function take(params: MessageCreateParams, context: EngineContext): Step | undefined {
    const found = left.find(({ step, times }) => times > 0 && (step.when?.(params, context) ?? true))
    if (found) found.times--
    return found?.step
  }

  async function* play(
    params: MessageCreateParams,
    context: EngineContext = {},
  ): AsyncGenerator<MessageStreamEvent | PingEvent> {
    throwIfAborted(context.signal)
    requests.push({ params: structuredClone(params), context })
    const step = take(params, context)
    if (step) yield* perform(step, params, context.signal, clock)
    else if (otherwise) yield* otherwise(params, context)
    else throw unanswered(requests.length, remaining())
  }

  async function count(params: MessageCountTokensParams, context?: EngineContext): Promise<MessageTokensCount> {
    return otherwise?.countTokens?.(params, context) ?? { input_tokens: countPromptTokens(params) }
  }

  const engine = Object.assign(play, { countTokens: count, requests })
  return Object.defineProperty(engine, 'remaining', {
    get: remaining,
  }) as typeof engine & { remaining: number }
}

/** Clients do not retry it: another attempt would find no step either. */
function unanswered(request: number, remaining: number): APIError {
  const { error } = apiError(
    'api_error',
    remaining === 0
      ? `Cannot answer request ${request}: no step of the script is left`
      : `Cannot answer request ${request}: none of the steps left (${remaining}) is for it`,
  )
  return APIError.generate(500, error, undefined, new Headers({ 'x-should-retry': 'false' }))
}

function isStep(step: ScriptedReply | Step): step is Step {
  return typeof step === 'object' && hasStepKey(step)
}

function toStep(step: ScriptedReply | Step): Step {
  return isStep(step) ? step : { reply: step }
}

async function* perform(
  step: Step,
  params: MessageCreateParams,
  signal: AbortSignal | undefined,
  clock: Clock,
): AsyncGenerator<MessageStreamEvent | PingEvent> {
  const events = step.reply === undefined && step.error ? [] : eventsOf(step.reply ?? '', params)
  const faultAt = step.after ?? (step.error ? 0 : Infinity)
  if (step.delayMs) await clock.wait(step.delayMs, signal)
  let sent = 0
  for (const event of events) {
    if (sent >= faultAt) break
    if (sent > 0 && step.eventDelayMs) await clock.wait(step.eventDelayMs, signal)
    throwIfAborted(signal)
    yield event
    sent++
  }
  await fail(step, signal, clock)
}

async function fail(step: Step, signal: AbortSignal | undefined, clock: Clock): Promise<void> {
  if (step.stall) await clock.wait(Infinity, signal)
  if (step.error) throw errorOf(step.error)
  const bytes = typeof step.bytes === 'string' ? new TextEncoder().encode(step.bytes) : step.bytes
  if (step.cut || bytes) throw new WireFault(step.cut ?? 'close', bytes)
}

const messages: Record<string, string> = {
  overloaded_error: 'Overloaded',
  rate_limit_error: "This request would exceed your organization's rate limit",
  api_error: 'Internal server error',
  authentication_error: 'invalid x-api-key',
}

function errorOf({ type, message = messages[type] ?? type, status, details, headers }: ScriptedError): APIError {
  const error = apiError(type, message, details)
  if (status === undefined && headers === undefined) return error
  return APIError.generate(status ?? error.status, error.error, undefined, headers && new Headers(headers))
}

function eventsOf(reply: ScriptedReply, params: MessageCreateParams): Iterable<MessageStreamEvent | PingEvent> {
  if (Array.isArray(reply)) return reply as ReadonlyArray<MessageStreamEvent | PingEvent>
  const given = typeof reply === 'string' ? { content: reply } : (reply as ScriptedMessage)
  return replay(messageOf(given, params))
}

/** The block, with the fields that every block of its type has. */
function filled(block: ContentBlock): ContentBlock {
  if (block.type === 'tool_use') return { ...block, id: block.id ?? newId('toolu_01'), input: block.input ?? {} }
  return block.type === 'text' ? { ...block, citations: block.citations ?? null } : block
}

function messageOf({ content: given, ...rest }: ScriptedMessage, params: MessageCreateParams): Message {
  const content: ContentBlock[] =
    typeof given !== 'string' ? given.map(filled) : given === '' ? [] : [{ type: 'text', text: given, citations: null }]
  const isCall = content.some(({ type }) => type === 'tool_use')
  const usage: Usage = {
    input_tokens: countPromptTokens(params),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: Math.max(1, countTokens(content.map((block) => JSON.stringify(block)).join(' '))),
    output_tokens_details: null,
    server_tool_use: null,
    service_tier: 'standard',
    inference_geo: null,
    speed: null,
  }
  const stop_reason = isCall ? 'tool_use' : 'end_turn'
  return { ...emptyMessage(params.model, usage), content, stop_reason, ...rest }
}
