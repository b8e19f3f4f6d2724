import { apiError } from '../../protocol/types/error-response.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import type { StopReason } from '../../protocol/types/message.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import { countTokens } from '../prompt/tokens.ts'
import { BlockWriter } from '../reply/block-writer.ts'
import { emptyMessage } from '../reply/empty-message.ts'
import { StopSequences } from '../reply/stop-sequences.ts'
import { argumentsText } from './calls/call-arguments.ts'
import { CallWriter } from './calls/call-writer.ts'
import { type Piece, ThinkTags } from '../reply/think-tags.ts'
import { estimatedUsage, type ReplyUsage, usageOf } from './usage.ts'
import { type ChatCallDelta, type ChatChunk, type ChatDelta, choicesIn, list, type ReplyPart } from './wire.ts'

/** Turns the chunks of a Chat Completions reply into the events of a message. */
export class ReplyWriter {
  readonly #params: MessageCreateParams
  readonly #promptTokens: number
  readonly #blocks = new BlockWriter()
  readonly #calls = new CallWriter(this.#blocks)
  readonly #tags = new ThinkTags()
  /** Text and thinking that came between the pieces of a call, and has to wait for its end. */
  #held: Piece[] = []
  readonly #stops: StopSequences
  /** The beginning of the reply that the request had, as far as the server may still repeat it. */
  #prefill: string
  #usage: ReplyUsage | undefined
  #finish: string | null = null
  #output = ''
  #isRefused = false
  #hasDeltas = false

  /** @param promptTokens the estimate for `message_start`; the last event has the server's count, if it gives one. */
  constructor(params: MessageCreateParams, promptTokens: number) {
    this.#params = params
    this.#promptTokens = promptTokens
    this.#stops = new StopSequences(params.stop_sequences ?? [])
    this.#prefill = prefillOf(params)
  }

  /** Whether a stop sequence ended the reply, whatever the server still sends. */
  get isStopped(): boolean {
    return this.#stops.found !== null
  }

  start(model: string): MessageStreamEvent {
    return { type: 'message_start', message: emptyMessage(model, estimatedUsage(this.#promptTokens, 1)) }
  }

  *push(chunk: ChatChunk): Generator<MessageStreamEvent> {
    this.#usage = usageOf(chunk.usage ?? chunk.x_groq?.usage) ?? this.#usage
    const choice = choicesIn(chunk).find(({ index }) => !index)
    // A message behind deltas repeats them.
    const delta = choice?.delta ?? (this.#hasDeltas ? undefined : choice?.message)
    this.#hasDeltas ||= choice?.delta != null
    if (delta) yield* this.#delta(delta)
    this.#finish = choice?.finish_reason?.toLowerCase() ?? this.#finish
  }

  *end(): Generator<MessageStreamEvent> {
    for (const piece of this.#tags.end()) yield* this.#piece(piece)
    const isCut = cuts.has(this.#finish) || this.#isCutInCall()
    if (!this.isStopped) yield* this.#calls.end(isCut)
    if (!(isCut && this.#calls.isUnfinished)) yield* this.#release()
    if (!this.isStopped) yield* this.#blocks.text(this.#stops.end())
    this.#checkCalls(isCut)
    const stop_reason = this.#stopReason(isCut)
    // Like the API, do not close the input of a call that the limit cut off.
    if (!(isCut && this.#calls.hasCalls)) yield* this.#blocks.end()
    const usage = this.#usage ?? this.#estimate()
    yield { type: 'message_delta', delta: { stop_reason, stop_sequence: this.#stops.found }, usage }
    yield { type: 'message_stop' }
  }

  #estimate(): ReplyUsage {
    return { ...estimatedUsage(this.#promptTokens, countTokens(this.#output)), estimated: true }
  }

  *#delta(delta: ChatDelta): Generator<MessageStreamEvent> {
    if (this.isStopped) return
    const thinking = [delta.reasoning_content, delta.reasoning, delta.thinking].find(isFilled)
    if (thinking !== undefined) yield* this.#piece({ kind: 'thinking', text: thinking })
    for (const { kind, text } of piecesOf(delta.content)) {
      if (kind === 'thinking') yield* this.#piece({ kind, text })
      else for (const piece of this.#tags.push(text)) yield* this.#piece(piece)
    }
    if (isFilled(delta.refusal)) {
      this.#isRefused = true
      yield* this.#piece({ kind: 'text', text: delta.refusal })
    }
    const calls = callsIn(delta)
    if (calls.length > 0 && !this.isStopped) yield* this.#push(calls)
  }

  *#push(deltas: readonly ChatCallDelta[]): Generator<MessageStreamEvent> {
    yield* this.#blocks.text(this.#stops.end())
    for (const { function: called } of deltas)
      this.#output += `${called?.name ?? ''}${argumentsText(called?.arguments)}`
    yield* this.#calls.push(deltas)
    if (this.#held.length > 0 && !this.#calls.isUnfinished) yield* this.#release()
  }

  *#release(): Generator<MessageStreamEvent> {
    const held = this.#held
    this.#held = []
    for (const piece of held) yield* this.#write(piece)
  }

  *#piece(piece: Piece): Generator<MessageStreamEvent> {
    this.#output += piece.text
    if (this.#calls.isUnfinished) this.#held.push(piece)
    else yield* this.#write(piece)
  }

  *#write({ kind, text }: Piece): Generator<MessageStreamEvent> {
    if (text.trim() !== '') yield* this.#calls.end(false)
    if (kind === 'thinking') yield* this.#blocks.thinking(text)
    else yield* this.#blocks.text(this.#stops.push(this.#withoutPrefill(text)))
  }

  /** Some servers begin a reply that they continue with the beginning that they were given. */
  #withoutPrefill(text: string): string {
    const common = this.#prefill.startsWith(text)
      ? text.length
      : text.startsWith(this.#prefill)
        ? this.#prefill.length
        : -1
    const rest = common < 0 ? text : text.slice(common)
    this.#prefill = common < 0 ? '' : this.#prefill.slice(common)
    return rest
  }

  /** A server that ignores `tool_choice` would otherwise be taken for a model that has nothing to call. */
  #checkCalls(isCut: boolean): void {
    const { tool_choice: choice, tools } = this.#params
    const isForced = tools?.length && (choice?.type === 'any' || choice?.type === 'tool')
    if (!isForced || isCut || this.isStopped || this.#isRefused || this.#calls.hasCalls) return
    throw apiError('api_error', 'The model called no tool, although tool_choice asks for a call.')
  }

  /** By what was written, since servers say `stop` for calls and stop sequences too. */
  #stopReason(isCut: boolean): StopReason {
    if (this.isStopped) return 'stop_sequence'
    // Gemini adds its own reason, such as `content_filter: SAFETY`.
    if (this.#finish?.startsWith('content_filter') || this.#isRefused) return 'refusal'
    if (isCut) return this.#isWindowFull() ? 'model_context_window_exceeded' : 'max_tokens'
    return this.#calls.hasCalls ? 'tool_use' : 'end_turn'
  }

  /** vLLM names a call that its limit cut off like a complete one. */
  #isCutInCall(): boolean {
    return this.#calls.isUnfinished && (this.#usage?.output_tokens ?? 0) >= this.#params.max_tokens
  }

  #isWindowFull(): boolean {
    return this.#usage !== undefined && this.#usage.output_tokens < this.#params.max_tokens
  }
}

/** The reasons of a reply that ended at a limit. `model_length` is Mistral's name for a full window. */
const cuts = new Set<string | null>(['length', 'model_length', 'max_tokens'])

function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** The text and thinking of a content, which is one text or a list of parts. */
function piecesOf(content: ChatDelta['content']): Piece[] {
  if (typeof content === 'string') return [{ kind: 'text', text: content }]
  return list(content).map((part) => {
    if (typeof part === 'string') return { kind: 'text', text: part }
    const { type, text, thinking } = part
    if (type === 'thinking') return { kind: 'thinking', text: textOf(thinking) }
    return { kind: 'text', text: isFilled(text) ? text : '' }
  })
}

function callsIn({ tool_calls: calls, function_call: only }: ChatDelta): ChatCallDelta[] {
  return only ? [{ index: 0, function: only }] : list(calls)
}

function textOf(thinking: ReplyPart['thinking']): string {
  return typeof thinking === 'string'
    ? thinking
    : list(thinking)
        .map(({ text }) => text ?? '')
        .join('')
}

function prefillOf({ messages }: MessageCreateParams): string {
  const last = messages.at(-1)
  if (last?.role !== 'assistant') return ''
  if (typeof last.content === 'string') return last.content
  return last.content.map((block) => (block.type === 'text' ? (block as { text: string }).text : '')).join('')
}
