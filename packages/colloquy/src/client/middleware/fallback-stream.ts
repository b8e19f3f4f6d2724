import { MessageAccumulator } from '../../protocol/codec/accumulate.ts'
import { decodeSse, encodeSse, type ServerSentEvent } from '../../protocol/codec/sse.ts'
import type { FallbackParam } from '../../protocol/types/beta/fallback.ts'
import { AnthropicError, APIUserAbortError } from '../../protocol/types/error.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import type { ContentBlock, Usage } from '../../protocol/types/message.ts'
import {
  askFallback,
  changed,
  creditOf,
  fallbackBlock,
  withKnownThinking,
  type FallbackCall,
  type RefusalDetails,
  type RequestBody,
} from './fallback-request.ts'

/** An event as it travels, with the fields that are read or changed here. */
interface WireEvent {
  type: string
  index?: number
  message?: { model?: string; usage?: Partial<Usage>; input_transformations?: unknown }
  delta?: { stop_reason?: string | null; stop_details?: RefusalDetails | null }
  usage?: Partial<Usage>
  input_transformations?: unknown
  [field: string]: unknown
}

/** A refusal that the next fallback may answer. */
interface Refusal {
  token: string
  details: RefusalDetails
  usage: Partial<Usage>
  /** The partial reply, if the next model may continue it. */
  partial: ContentBlock[]
  inputTransformations: unknown
}

/** The outcome of one model's stream. */
interface Delivered {
  refusal: Refusal | undefined
  model: string
  /** The index of the next block of the whole message. */
  nextIndex: number
}

/** The usage of one model's request, as `usage.iterations` lists it. */
type Iteration = Record<string, unknown>

/** The stream of a reply, followed by those of fallbacks while models refuse. It ends as one message. */
export function fallbackStream(call: FallbackCall, response: Response, first: number, body: RequestBody): Response {
  const controller = new AbortController()
  const events = spliced(call, response, first, body, controller.signal)
  const encoder = new TextEncoder()
  const stream = new ReadableStream<Uint8Array>({
    async pull(sink) {
      const { value, done } = await events.next()
      if (done) sink.close()
      else sink.enqueue(encoder.encode(value))
    },
    async cancel(reason) {
      controller.abort(reason)
      await events.return(undefined)
    },
  })
  const { status, statusText, headers } = response
  return new Response(stream, { status, statusText, headers })
}

async function* spliced(
  call: FallbackCall,
  response: Response,
  first: number,
  body: RequestBody,
  signal: AbortSignal,
): AsyncGenerator<string, undefined> {
  const { fallbacks, keep } = call
  let { refusal, model: from, nextIndex } = yield* deliver(call, response, { offset: 0, hasNext: true })
  const iterations: Iteration[] = []
  let earlier: ContentBlock[] = []
  if (refusal) iterations.push(iterationOf('message', from, refusal.usage))
  for (let index = first; refusal; index++) {
    const fallback = fallbacks[index]!
    const { model } = fallback
    const hasNext = index < fallbacks.length - 1
    keep(index)
    yield* boundary(nextIndex++, from, model, refusal.details)
    const answer = await continued(call, fallback, { body, refusal, earlier, signal })
    if (!answer) {
      // The credit was not used: the next fallback gets it.
      if (hasNext) continue
      return yield* ended(refusal, model)
    }
    const splice = { iterations, model }
    const delivered = yield* deliver(call, answer.response, { offset: nextIndex, hasNext, splice })
    ;({ refusal, nextIndex } = delivered)
    if (refusal) iterations.push(iterationOf('message', model, refusal.usage))
    from = model
    earlier = answer.continuation
  }
  return undefined
}

/** The block that marks where another model begins. */
function boundary(index: number, from: string, to: string, details: RefusalDetails): Generator<string> {
  const content_block = fallbackBlock(from, to, details)
  return encoded({ type: 'content_block_start', index, content_block }, { type: 'content_block_stop', index })
}

/** Asks a fallback to continue the reply. Undefined if its request failed, which `onError` is told. */
async function continued(
  call: FallbackCall,
  fallback: FallbackParam,
  parts: { body: RequestBody; refusal: Refusal; earlier: ContentBlock[]; signal: AbortSignal },
): Promise<{ response: Response; continuation: ContentBlock[] } | undefined> {
  const { body, refusal, earlier, signal } = parts
  const { context, onError } = call
  const { model } = fallback
  let { speed } = fallback
  // The partial reply is refused by some models: they are asked once more without it.
  for (const partial of refusal.partial.length > 0 ? [refusal.partial, []] : [[]]) {
    const continuation = [...earlier, ...partial]
    const request = withKnownThinking(changed({ ...body, model, ...creditOf(refusal.token) }, { speed }))
    if (continuation.length > 0) {
      request.messages = [...(request.messages ?? []), { role: 'assistant', content: continuation }]
    }
    let response: Response
    try {
      const asked = await askFallback(call, fallback, { ...call.request, signal }, request)
      response = asked.response
      if (asked.isSlowed) speed = null
    } catch (error) {
      if (error instanceof APIUserAbortError) throw error
      onError({
        kind: 'request_failed',
        message: `Cannot ask ${model}: ${String(error)}`,
        model,
        status: null,
        detail: error,
      })
      return undefined
    }
    if (response.ok) return { response, continuation }
    const detail: unknown = await context.parse(response).catch(() => null)
    await response.body?.cancel()
    const message = `Cannot ask ${model}: status ${response.status}: ${JSON.stringify(detail)}`
    if (response.status === 400 && partial.length > 0) {
      context.logger.warn(`${message}; asked once more without the partial reply`)
      continue
    }
    onError({ kind: 'request_failed', message, model, status: response.status, detail })
    return undefined
  }
  return undefined
}

/** The end of a reply that no model gave: the refusal, which names the model that was asked last. */
function* ended({ details, usage, inputTransformations }: Refusal, model: string): Generator<string, undefined> {
  const stop_details = { ...details, recommended_model: model }
  const delta = { stop_reason: 'refusal', stop_sequence: null, container: null, stop_details }
  const transformations = inputTransformations !== undefined && { input_transformations: inputTransformations }
  yield* encoded(
    { type: 'message_delta', context_management: null, delta, usage, ...transformations },
    { type: 'message_stop' },
  )
  return undefined
}

interface DeliverOptions {
  /** Added to the index of each block. */
  offset: number
  /** Whether a refusal may be answered by another fallback. */
  hasNext: boolean
  /** Set for the stream of a fallback, whose beginning the reader does not see. */
  splice?: { iterations: readonly Iteration[]; model: string }
}

/** Passes the events of one model on, up to a refusal that another may answer. */
async function* deliver(
  { onError }: FallbackCall,
  { body }: Response,
  { offset, hasNext, splice }: DeliverOptions,
): AsyncGenerator<string, Delivered> {
  const reply = new PartialReply(offset)
  for await (const sent of decodeSse(body ?? noBytes())) {
    const event = parsed(sent.data)
    reply.push(event)
    const { type, delta } = event ?? {}
    if (event && type === 'message_delta' && delta?.stop_reason === 'refusal') {
      const details = delta.stop_details ?? {}
      const { fallback_credit_token: token } = details
      if (token && hasNext) {
        yield* encoded(...reply.closing())
        return { ...reply.delivered, refusal: reply.refusal(token, details, event.usage, splice !== undefined) }
      }
      const message = token
        ? 'A model refused and there is no other fallback'
        : 'A refusal has no token to ask a fallback'
      onError({ kind: token ? 'chain_exhausted' : 'no_credit_token', message, event })
    }
    if (!splice || !event) yield raw(sent)
    else if (type === 'message_delta') yield* encoded(reply.ending(event, splice))
    else if (type !== 'message_start') yield* encoded(reply.shifted(event))
  }
  return { ...reply.delivered, refusal: undefined }
}

/** The part of the reply that one model has delivered so far. */
class PartialReply {
  readonly #offset: number
  readonly #accumulator = new MessageAccumulator()
  readonly #open = new Set<number>()
  #start: WireEvent['message']
  #nextIndex: number

  constructor(offset: number) {
    this.#offset = offset
    this.#nextIndex = offset
  }

  get delivered(): Omit<Delivered, 'refusal'> {
    return { model: this.#start?.model ?? '', nextIndex: this.#nextIndex }
  }

  push(event: WireEvent | undefined): void {
    if (!event) return
    const { type, index, message } = event
    if (type === 'message_start') this.#start = message
    if (index !== undefined) {
      const at = index + this.#offset
      if (type === 'content_block_start') this.#open.add(at)
      else if (type === 'content_block_stop') this.#open.delete(at)
      this.#nextIndex = Math.max(this.#nextIndex, at + 1)
    }
    try {
      this.#accumulator.push(event as MessageStreamEvent)
    } catch (error) {
      // A malformed event is passed on: the reader of the stream says what is wrong.
      if (!(error instanceof AnthropicError)) throw error
    }
  }

  /** The event with the index that its block has in the whole message. */
  shifted(event: WireEvent): WireEvent {
    return event.index === undefined ? event : { ...event, index: event.index + this.#offset }
  }

  /** The ends of the blocks that the refusal cut. */
  closing(): WireEvent[] {
    return Array.from(this.#open, (index) => ({ type: 'content_block_stop', index }))
  }

  refusal(token: string, details: RefusalDetails, usage: WireEvent['usage'], isSpliced: boolean): Refusal {
    return {
      token,
      details,
      usage: completed(usage, this.#start?.usage),
      partial: details.fallback_has_prefill_claim === true ? (this.#accumulator.message?.content ?? []) : [],
      inputTransformations: isSpliced ? this.#start?.input_transformations : undefined,
    }
  }

  /** The last event of a fallback, with the calls of all models and what its hidden beginning said. */
  ending(event: WireEvent, { iterations, model }: NonNullable<DeliverOptions['splice']>): WireEvent {
    const usage = completed(event.usage, this.#start?.usage)
    const all = [...iterations, iterationOf('fallback_message', model, usage)]
    const { input_transformations = this.#start?.input_transformations } = event
    return {
      ...event,
      usage: { ...usage, iterations: all as never },
      ...(input_transformations !== undefined && { input_transformations }),
    }
  }
}

/** The counts of the end of a message, and those that only its beginning has. */
function completed(end: Partial<Usage> = {}, start: Partial<Usage> = {}): Partial<Usage> {
  const known = Object.entries(end).filter(([, value]) => value !== null && value !== undefined)
  return { ...end, ...start, ...Object.fromEntries(known) }
}

function iterationOf(type: string, model: string, usage: Partial<Usage>): Iteration {
  return {
    type,
    model,
    input_tokens: usage.input_tokens ?? 0,
    output_tokens: usage.output_tokens ?? 0,
    cache_read_input_tokens: usage.cache_read_input_tokens ?? 0,
    cache_creation_input_tokens: usage.cache_creation_input_tokens ?? 0,
    cache_creation: usage.cache_creation ?? null,
  }
}

function parsed(data: string): WireEvent | undefined {
  try {
    const value = JSON.parse(data) as WireEvent | null
    return typeof value?.type === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

/** An event as it came. */
function raw({ event, data }: ServerSentEvent): string {
  const name = event === undefined ? '' : `event: ${event}\n`
  return `${name}${data.replaceAll(/^/gm, 'data: ')}\n\n`
}

async function* noBytes(): AsyncGenerator<Uint8Array> {}

function* encoded(...events: WireEvent[]): Generator<string> {
  for (const event of events) yield encodeSse(event as never)
}
