import { availableParallelism, loadavg } from 'node:os'
import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { type Engine, type EngineContext, emptyMessage } from 'colloquy/engines'
import {
  apiError,
  type MessageCountTokensParams,
  type MessageCreateParams,
  type MessageStreamEvent,
} from 'colloquy/protocol'
import { abortError, throwIfAborted } from './abort.ts'
import { chunkTokens, LoadedModel } from './loaded-model.ts'
import { promptOf } from './prompt.ts'
import { ReplyWriter } from './reply.ts'
import { loadRuntime, type Token } from './runtime.ts'
import { Sampler, type SamplingDefaults } from './sampler.ts'
import type { Slot } from './slots.ts'

export interface LlamaOptions {
  /** The path of a GGUF file. */
  model: string
  /** The name in replies. Default: the file's name. */
  name?: string
  /** The most tokens of a conversation, prompt and reply together. Default 4,096, or the model's own window if it is smaller. */
  contextSize?: number
  /** Conversations at once, each with a cache of its own. Default 2. */
  parallel?: number
  /**
   * Processor cores to use. More than there are free cores makes a model slower by a factor of ten. Default: 1 for a model
   * below 500 MB and if `CI` is set, else the cores that are free.
   */
  threads?: number
  /** Requests that may wait for a free conversation. Default 100. */
  maxQueue?: number
  /** Unload the model after this time without a request. Milliseconds. Default 600,000; 0 keeps it. */
  idleMs?: number
  /** The system prompt of requests that have none. Default `You are a helpful assistant.` */
  system?: string
  /** How tokens are chosen if the request does not say. Default: temperature 0.2, top_p 0.9, repeat penalty 1.1. */
  sampling?: Partial<SamplingDefaults>
  /** A folder in which node-llama-cpp was installed, if it is not among the program's own packages. */
  runtimeFolder?: string
}

/** An engine that runs a model in this process. */
export interface LlamaEngine extends Engine {
  /** Loads the model now, instead of with the first request. Throws what is wrong with the file. */
  load(): Promise<void>
  /** Frees the memory. The next request loads the model again. */
  close(): Promise<void>
}

const defaults: SamplingDefaults = { temperature: 0.2, topP: 0.9, topK: 0, repeatPenalty: 1.1 }

/**
 * Makes an engine from a GGUF file, through node-llama-cpp. The file's chat template writes the prompt; grammars hold tool
 * calls and JSON output to their schemas. The tokens that a conversation shares with its last request are not read again:
 * `cache_read_input_tokens` counts them.
 *
 * @example
 * ```ts
 * import { llama } from '@colloquy/llama'
 * import { openConversations } from 'colloquy/conversation'
 *
 * const engine = llama({ model: 'SmolLM2-135M-Instruct.Q4_1.gguf' })
 * const chat = await openConversations({ engine }).create({ model: 'local', max_tokens: 200 })
 * console.log((await chat.send('Say hello.')).text)
 * await engine.close()
 * ```
 */
export function llama(options: LlamaOptions): LlamaEngine {
  const {
    model: path,
    name = basename(path, '.gguf'),
    idleMs = 600_000,
    system = 'You are a helpful assistant.',
  } = options
  let loading: Promise<LoadedModel> | undefined
  let idle: ReturnType<typeof setTimeout> | undefined

  function opened(): Promise<LoadedModel> {
    clearTimeout(idle)
    loading ??= openModel(options).catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }

  function closeWhenIdle(model: LoadedModel): void {
    clearTimeout(idle)
    if (idleMs === 0 || !model.slots.isIdle) return
    idle = setTimeout(() => void close(), idleMs)
    idle.unref()
  }

  async function close(): Promise<void> {
    clearTimeout(idle)
    const model = await loading?.catch(() => undefined)
    loading = undefined
    await model?.dispose()
  }

  async function* engine(
    params: MessageCreateParams,
    { signal }: EngineContext = {},
  ): AsyncGenerator<MessageStreamEvent> {
    throwIfAborted(signal)
    const model = await opened()
    const { tokens, prefill } = await promptOf(model, params, system)
    if (tokens.length >= model.window) {
      throw apiError('invalid_request_error', `prompt is too long: ${tokens.length} tokens > ${model.window} maximum`)
    }
    const { slot, kept } = await model.slots.take(tokens, signal)
    try {
      yield* replyEvents({ model, slot, kept, tokens, prefill, params, name, options, signal })
    } finally {
      // Also if the consumer leaves early: the tokens that were read stay for the next request.
      void slot.reading.then(() => {
        model.slots.release(slot)
        closeWhenIdle(model)
      })
    }
  }

  async function countTokens(params: MessageCountTokensParams): Promise<{ input_tokens: number }> {
    const model = await opened()
    const { tokens } = await promptOf(model, { ...params, max_tokens: 1 }, system)
    return { input_tokens: tokens.length }
  }

  return Object.assign(engine, { countTokens, close, load: async () => void (await opened()) })
}

interface Request {
  model: LoadedModel
  slot: Slot
  /** How many tokens of the prompt the slot has read already. */
  kept: number
  tokens: readonly Token[]
  prefill: string
  params: MessageCreateParams
  name: string
  options: LlamaOptions
  signal: AbortSignal | undefined
}

async function* replyEvents(request: Request): AsyncGenerator<MessageStreamEvent> {
  const { model, slot, kept, tokens, prefill, params, name, options, signal } = request
  const prompt = { input_tokens: tokens.length - kept, cache_creation_input_tokens: 0, cache_read_input_tokens: kept }
  yield { type: 'message_start', message: emptyMessage(name, { ...prompt, output_tokens: 1 }) }
  await readPrompt(request)
  const room = model.window - tokens.length
  const budget = Math.min(params.max_tokens, room)
  const sampling = { ...defaults, ...options.sampling }
  const sampler = new Sampler(
    { model, sequence: slot.sequence, params, defaults: sampling, budget, signal },
    tokens.at(-1)!,
  )
  const reply = new ReplyWriter(params, sampler)
  yield* reply.events()
  const stop_reason = reply.stopReason(room <= params.max_tokens)
  if (reply.stopSequence === null) await remember(model, prefill, sampler.tokens)
  yield {
    type: 'message_delta',
    delta: { stop_reason, stop_sequence: reply.stopSequence },
    usage: { ...prompt, output_tokens: sampler.count },
  }
  yield { type: 'message_stop' }
}

/** Reads the tokens that the slot does not have, all but the last: the first token of the reply is sampled from it. */
async function readPrompt({ slot, kept, tokens, signal }: Request): Promise<void> {
  const { sequence } = slot
  // Without `false` a longer state is not cut back to its own beginning.
  await unlessAborted(slot, sequence.adaptStateToTokens(tokens.slice(0, kept), false), signal)
  for (let at = kept; at < tokens.length - 1; at += chunkTokens) {
    const chunk = tokens.slice(at, Math.min(at + chunkTokens, tokens.length - 1))
    await unlessAborted(slot, sequence.evaluateWithoutGeneratingNewTokens(chunk), signal)
  }
  throwIfAborted(signal)
}

/**
 * Waits for work of the runtime, or throws as soon as the signal aborts. The runtime cannot end its work early, so the slot is
 * taken until it has.
 */
async function unlessAborted(slot: Slot, work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  throwIfAborted(signal)
  slot.reading = work.catch(() => {})
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(abortError(signal))
  signal?.addEventListener('abort', abort, { once: true })
  try {
    await Promise.race([work, aborted])
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

async function remember({ tokenizer, raw }: LoadedModel, prefill: string, sampled: readonly Token[]): Promise<void> {
  const before = prefill === '' ? [] : await tokenizer.text(prefill)
  tokenizer.keep(prefill + raw.detokenize(sampled, false), [...before, ...sampled])
}

async function openModel(options: LlamaOptions): Promise<LoadedModel> {
  const { model: path, contextSize = 4096, parallel = 2, maxQueue = 100, threads = defaultThreads(path) } = options
  const runtime = await loadRuntime(options.runtimeFolder)
  return LoadedModel.load(runtime, { path, contextSize, parallel, threads, maxQueue })
}

function defaultThreads(path: string): number {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (process.env['CI'] || bytes < 500_000_000) return 1
  return Math.max(1, Math.floor(availableParallelism() - loadavg()[0]!))
}
