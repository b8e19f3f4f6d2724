import type { ContentBlockDelta, MessageStreamEvent } from '../../protocol/types/event.ts'
import type { ContentBlock, StopReason } from '../../protocol/types/message.ts'
import { newId } from '../id.ts'
import { countTokens } from '../prompt/tokens.ts'
import type { Draft } from './reply.ts'

export interface WriterOptions {
  maxTokens: number
  stopSequences: readonly string[]
  /** Whether to send the text of thinking or only its signature. */
  showsThinking: boolean
  /** The number of blocks before the first. Default 0. */
  blocksBefore?: number
}

/** Turns a draft into the events of its blocks, up to the limits. Afterwards it has the stop reason and the counts. */
export class Writer {
  readonly #draft: Draft
  readonly #options: WriterOptions
  #index: number
  #left: number
  #thinkingTokens = 0
  #stopReason: StopReason = 'end_turn'
  #stopSequence: string | null = null

  constructor(draft: Draft, options: WriterOptions) {
    this.#draft = draft
    this.#options = options
    this.#left = options.maxTokens
    this.#index = options.blocksBefore ?? 0
  }

  get stopReason(): StopReason {
    return this.#stopReason
  }

  get stopSequence(): string | null {
    return this.#stopSequence
  }

  get outputTokens(): number {
    return this.#options.maxTokens - this.#left
  }

  get thinkingTokens(): number {
    return this.#thinkingTokens
  }

  *events(): Generator<MessageStreamEvent> {
    const { thinking, text, calls } = this.#draft
    if (thinking !== undefined) {
      yield* this.#thinking(thinking)
      if (this.#stopReason === 'max_tokens') return
    }
    const stop = firstStop(text, this.#options.stopSequences)
    const allowed = stop ? text.slice(0, stop.at) : text
    if (allowed) yield* this.#text(allowed)
    if (this.#stopReason === 'max_tokens') return
    if (stop) {
      this.#stopReason = 'stop_sequence'
      this.#stopSequence = stop.sequence
      return
    }
    for (const { name, input } of calls) {
      yield* this.#call(name, input)
      if (this.#stopReason === 'max_tokens') return
      this.#stopReason = 'tool_use'
    }
  }

  *#thinking(text: string): Generator<MessageStreamEvent> {
    const before = this.#left
    const shown = this.#fit(text)
    this.#thinkingTokens = before - this.#left
    yield this.#start({ type: 'thinking', thinking: '', signature: '' })
    if (this.#options.showsThinking) {
      for (const piece of piecesOf(shown)) yield this.#delta({ type: 'thinking_delta', thinking: piece })
    }
    yield this.#delta({ type: 'signature_delta', signature: btoa(`${newId('offline:')}:${shown.length}`) })
    yield this.#stop()
  }

  *#text(text: string): Generator<MessageStreamEvent> {
    const shown = this.#fit(text)
    if (!shown) return
    yield this.#start({ type: 'text', text: '', citations: null })
    for (const piece of piecesOf(shown)) yield this.#delta({ type: 'text_delta', text: piece })
    yield this.#stop()
  }

  *#call(name: string, input: unknown): Generator<MessageStreamEvent> {
    const json = JSON.stringify(input)
    const shown = this.#fit(json)
    yield this.#start({ type: 'tool_use', id: newId('toolu_01'), name, input: {}, caller: { type: 'direct' } })
    yield this.#delta({ type: 'input_json_delta', partial_json: '' })
    for (const piece of shown.match(/[^]{1,16}/gu) ?? [])
      yield this.#delta({ type: 'input_json_delta', partial_json: piece })
    // Like the API, do not close a tool input that the limit cut off.
    if (shown === json) yield this.#stop()
  }

  /** Returns the part of the text that the limit allows, and subtracts its tokens. */
  #fit(text: string): string {
    const tokens = countTokens(text)
    if (tokens <= this.#left) {
      this.#left -= tokens
      return text
    }
    const shown = longestPrefix(text, this.#left)
    this.#left = 0
    this.#stopReason = 'max_tokens'
    return shown
  }

  #start(block: ContentBlock): MessageStreamEvent {
    return { type: 'content_block_start', index: this.#index, content_block: block }
  }

  #delta(delta: ContentBlockDelta): MessageStreamEvent {
    return { type: 'content_block_delta', index: this.#index, delta }
  }

  #stop(): MessageStreamEvent {
    return { type: 'content_block_stop', index: this.#index++ }
  }
}

/** Words with the white space before them. The counts of such pieces add up to the count of the text. */
function piecesOf(text: string): string[] {
  return text.match(/\s*(?:[\u2e80-\ud7ff]|[^\s\u2e80-\ud7ff]+)|\s+/gu) ?? []
}

// Binary search, because the count is monotone. Never splits a surrogate pair.
function longestPrefix(text: string, tokens: number): string {
  let low = 0
  let high = text.length
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (countTokens(text.slice(0, middle)) <= tokens) low = middle
    else high = middle - 1
  }
  const isHalf = /[\ud800-\udbff]/.test(text[low - 1] ?? '')
  return text.slice(0, isHalf ? low - 1 : low).trimEnd()
}

function firstStop(text: string, sequences: readonly string[]): { at: number; sequence: string } | undefined {
  let first: { at: number; sequence: string } | undefined
  for (const sequence of sequences) {
    const at = text.indexOf(sequence)
    if (at >= 0 && (!first || at < first.at)) first = { at, sequence }
  }
  return first
}
