import { apiError } from 'colloquy/protocol'
import { baseModelError, checkFile, loadError } from '../files/check-file.ts'
import { ChatTemplate } from './chat-template.ts'
import { instanceOf, takeLog } from './instance.ts'
import { callTags } from '../tool-text.ts'
import type { Context, Grammar, Llama, RawModel, Runtime, Token } from './runtime.ts'
import { Slots } from './slots.ts'
import { Tokenizer } from './tokenizer.ts'

export interface ModelOptions {
  path: string
  /** Tokens that one conversation may hold. */
  contextSize: number
  /** Conversations at once, each with a cache of its own. */
  parallel: number
  threads: number
  maxQueue: number
}

/**
 * Tokens that are read at once. A request that is aborted holds its slot until they are: half a second at most. More are
 * hardly faster, and the memory for a step grows with their number times the window.
 */
export const chunkTokens = 128

/** A model in memory, with its chat template and the caches of its conversations. */
export class LoadedModel {
  readonly raw: RawModel
  readonly template: ChatTemplate
  readonly tokenizer: Tokenizer
  readonly slots: Slots
  /** The tokens that are a tag before a call. Control tokens have no text otherwise. */
  readonly callTags: ReadonlyMap<Token, string>
  /** The most tokens of a prompt and its reply together. */
  readonly window: number
  readonly #runtime: Runtime
  readonly #llama: Llama
  readonly #context: Context
  #isDisposed = false

  private constructor(
    parts: { runtime: Runtime; llama: Llama; raw: RawModel; context: Context; template: ChatTemplate },
    options: ModelOptions,
    window: number,
  ) {
    this.#runtime = parts.runtime
    this.#llama = parts.llama
    this.raw = parts.raw
    this.#context = parts.context
    this.template = parts.template
    this.window = window
    this.tokenizer = new Tokenizer(parts.raw)
    const tokens = callTags.map((tag) => [this.raw.tokenize(tag, true), tag] as const)
    this.callTags = new Map(tokens.flatMap(([[token, ...others], tag]) => (others.length === 0 ? [[token!, tag]] : [])))
    this.slots = new Slots(parts.context, options.parallel, options.maxQueue)
  }

  /** Loads the file. Throws an `api_error` that says what is wrong with it, or that memory does not suffice. */
  static async load(runtime: Runtime, options: ModelOptions): Promise<LoadedModel> {
    const { path, threads, parallel } = options
    await checkFile(options)
    takeLog()
    try {
      const llama = await instanceOf(runtime, threads)
      const raw = await llama.loadModel({ modelPath: path })
      const template = await templateOf(raw, path)
      const window = Math.min(options.contextSize, raw.trainContextSize)
      const context = await raw.createContext({
        contextSize: window,
        sequences: parallel,
        threads,
        batchSize: chunkTokens,
        swaFullCache: true,
      })
      return new LoadedModel({ runtime, llama, raw, context, template }, options, window)
    } catch (error) {
      // The log is written from another thread.
      await new Promise((resolve) => setTimeout(resolve, 10))
      throw loadError(error, path, takeLog())
    }
  }

  get isDisposed(): boolean {
    return this.#isDisposed
  }

  async grammar(text: string): Promise<Grammar> {
    try {
      return await this.#llama.createGrammar({ grammar: text })
    } catch {
      // The reason is printed by the runtime alone.
      throw apiError('invalid_request_error', 'The schema is too complex for the grammars of this model.')
    }
  }

  grammarState(grammar: Grammar): object {
    return new this.#runtime.LlamaGrammarEvaluationState({ model: this.raw, grammar })
  }

  async dispose(): Promise<void> {
    this.#isDisposed = true
    await this.#context.dispose()
    await this.raw.dispose()
  }
}

async function templateOf(raw: RawModel, path: string): Promise<ChatTemplate> {
  const source = raw.fileInfo.metadata['tokenizer']?.['chat_template']
  if (typeof source !== 'string') throw baseModelError(path)
  const { Template } = await import('@huggingface/jinja')
  try {
    return new ChatTemplate(new Template(source))
  } catch (error) {
    throw loadError(new Error(`its chat template is wrong: ${(error as Error).message}`), path)
  }
}
