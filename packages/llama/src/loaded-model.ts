import { freemem } from 'node:os'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { apiError } from 'colloquy/protocol'
import { Template } from '@huggingface/jinja'
import type { Context, Grammar, Llama, RawModel, Runtime, Token } from './runtime.ts'
import { Slots } from './slots.ts'

export interface ModelOptions {
  path: string
  /** Tokens that one conversation may hold. */
  contextSize: number
  /** Conversations at once, each with a cache of its own. */
  parallel: number
  threads: number
  maxQueue: number
}

/** A model in memory, with its chat template and the caches of its conversations. */
export class LoadedModel {
  readonly raw: RawModel
  readonly template: Template
  readonly slots: Slots
  /** The most tokens of a prompt and its reply together. */
  readonly window: number
  readonly #runtime: Runtime
  readonly #llama: Llama
  readonly #context: Context
  /** The tokens of replies as they were sampled: encoding the text again may give others, and lose the cache. */
  readonly #said = new Map<string, readonly Token[]>()

  private constructor(
    parts: { runtime: Runtime; llama: Llama; raw: RawModel; context: Context; template: Template },
    options: ModelOptions,
    window: number,
  ) {
    this.#runtime = parts.runtime
    this.#llama = parts.llama
    this.raw = parts.raw
    this.#context = parts.context
    this.template = parts.template
    this.window = window
    this.slots = new Slots(parts.context, options.parallel, options.maxQueue)
  }

  /** Loads the file. Throws an `api_error` that says what is wrong with it, or that memory does not suffice. */
  static async load(runtime: Runtime, options: ModelOptions): Promise<LoadedModel> {
    const { path, threads, parallel } = options
    await checkMemory(path)
    const llama = await runtime.getLlama({
      gpu: false,
      build: 'never',
      skipDownload: true,
      progressLogs: false,
      maxThreads: threads,
      logLevel: runtime.LlamaLogLevel.error,
    })
    try {
      const raw = await llama.loadModel({ modelPath: path })
      const template = templateOf(raw, path)
      const window = Math.min(options.contextSize, raw.trainContextSize)
      const context = await raw.createContext({
        contextSize: window,
        sequences: parallel,
        threads,
        batchSize: 512,
        swaFullCache: true,
      })
      return new LoadedModel({ runtime, llama, raw, context, template }, options, window)
    } catch (error) {
      await llama.dispose()
      throw explained(error, path)
    }
  }

  /** Tokens of a text in which nothing is special: `<|im_end|>` that a user typed stays text. */
  tokenizeText(text: string): readonly Token[] {
    return this.#said.get(text) ?? this.raw.tokenize(text, false)
  }

  /** Remembers how a reply was sampled, for the next turn of its conversation. */
  remember(text: string, tokens: readonly Token[]): void {
    this.#said.set(text, tokens)
    if (this.#said.size > 256) this.#said.delete(this.#said.keys().next().value!)
  }

  grammar(text: string): Promise<Grammar> {
    return this.#llama.createGrammar({ grammar: text })
  }

  grammarState(grammar: Grammar): object {
    return new this.#runtime.LlamaGrammarEvaluationState({ model: this.raw, grammar })
  }

  async dispose(): Promise<void> {
    await this.#context.dispose()
    await this.raw.dispose()
    await this.#llama.dispose()
  }
}

/** The memory besides the file: the caches, and the runtime itself. */
const extraBytes = 300_000_000

async function checkMemory(path: string): Promise<void> {
  const { size } = await stat(path).catch((error: unknown) => {
    throw explained(error, path)
  })
  const free = Math.max(freemem(), process.availableMemory())
  if (size + extraBytes <= free) return
  throw apiError(
    'api_error',
    `Cannot load ${basename(path)}: it needs about ${gigabytes(size + extraBytes)} of memory, and ${gigabytes(free)} are free.`,
  )
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}

function templateOf(raw: RawModel, path: string): Template {
  const source = raw.fileInfo.metadata['tokenizer']?.['chat_template']
  if (typeof source === 'string') return new Template(source)
  throw apiError('api_error', `Cannot chat with ${basename(path)}: it is a base model without a chat template.`)
}

/** One sentence for the ways in which a file cannot be loaded. */
function explained(error: unknown, path: string): Error {
  const message = error instanceof Error ? error.message : String(error)
  const name = basename(path)
  if (/ENOENT/.test(message)) return apiError('api_error', `Cannot load ${name}: there is no such file.`)
  if (/GGUF magic|Invalid GGUF/i.test(message))
    return apiError('api_error', `Cannot load ${name}: it is not a GGUF file.`)
  if (/unknown model architecture|architecture/i.test(message))
    return apiError('api_error', `Cannot load ${name}: this runtime does not know its architecture.`)
  if (error instanceof Error && 'status' in error) return error
  return apiError('api_error', `Cannot load ${name}: ${message.split('\n')[0]}`)
}
