import type { MessageCreateParams } from 'colloquy/protocol'
import { throwIfAborted } from './abort.ts'
import type { LoadedModel } from './model/loaded-model.ts'
import type { Sequence, Token } from './model/runtime.ts'
import { callableTools } from './tool-text.ts'

/** How tokens are chosen where the request does not say. */
export interface SamplingDefaults {
  temperature: number
  topP: number
  topK: number
  /** Above 1, tokens of the last 64 become less likely. */
  repeatPenalty: number
}

export interface SamplerOptions {
  model: LoadedModel
  sequence: Sequence
  params: MessageCreateParams
  defaults: SamplingDefaults
  /** The tokens that the window has left. */
  room: number
  signal: AbortSignal | undefined
}

/** Reads text into a sequence and samples text from it, token by token. */
export class Sampler {
  readonly #options: SamplerOptions
  /** Tokens that are read before the next one is sampled. */
  #pending: Token[]
  readonly #sampled: Token[] = []
  /** The control tokens that have a text: tags before a call. */
  readonly #tags: ReadonlyMap<Token, string>
  #count = 0
  /** The tokens that the model was made to say. They take room too. */
  #forced = 0
  #isEnded = false

  /** @param last the last token of the prompt, which the sequence has not read. */
  constructor(options: SamplerOptions, last: Token) {
    this.#options = options
    this.#pending = [last]
    this.#tags = callableTools(options.params).length > 0 ? options.model.callTags : new Map()
  }

  /** The tokens that were sampled, the one that ended the reply included. */
  get count(): number {
    return this.#count
  }

  /** Whether no further token may be sampled. */
  get isSpent(): boolean {
    return this.#count >= this.#options.params.max_tokens || this.isFull
  }

  get isFull(): boolean {
    return this.#count + this.#forced >= this.#options.room
  }

  /** Whether the model ended its reply. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  get tokens(): readonly Token[] {
    return this.#sampled
  }

  /** Text that the model is made to say. It costs no sampling. */
  force(text: string): void {
    const tokens = this.#options.model.tokenizer.template(text, false)
    this.#pending.push(...tokens)
    this.#forced += tokens.length
    this.#isEnded = false
  }

  /** The texts of the tokens that the model says, until it ends, no more may be sampled, or the caller stops. */
  async *sample(grammarText?: string): AsyncGenerator<string> {
    if (this.isSpent) return
    const { model, sequence, signal } = this.#options
    const grammar = grammarText === undefined ? undefined : await model.grammar(grammarText)
    const options = this.#evaluateOptions(grammar && model.grammarState(grammar))
    let held: Token[] = []
    for await (const token of sequence.evaluate(this.#pending, options)) {
      throwIfAborted(signal)
      this.#count++
      if (model.raw.isEogToken(token)) {
        this.#isEnded = true
        this.#pending = []
        return
      }
      this.#sampled.push(token)
      this.#pending = [token]
      held.push(token)
      const text = this.#tags.get(token) ?? this.#textOf(held)
      // Half of a character waits for its other half.
      if (!text.endsWith('\ufffd')) {
        held = []
        yield text
      }
      if (this.isSpent) return
    }
  }

  #textOf(held: readonly Token[]): string {
    return this.#options.model.raw.detokenize(held, false, this.#sampled.slice(-held.length - 3, -held.length))
  }

  #evaluateOptions(grammarEvaluationState: object | undefined): Parameters<Sequence['evaluate']>[1] {
    const { params, defaults } = this.#options
    const penalty = grammarEvaluationState === undefined ? defaults.repeatPenalty : 1
    return {
      temperature: params.temperature ?? defaults.temperature,
      topP: params.top_p ?? defaults.topP,
      topK: params.top_k ?? defaults.topK,
      yieldEogToken: true,
      ...(grammarEvaluationState !== undefined && { grammarEvaluationState }),
      ...(penalty !== 1 && { repeatPenalty: { punishTokens: () => this.#sampled.slice(-64), penalty } }),
    }
  }
}
