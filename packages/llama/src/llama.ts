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
import { throwIfAborted, unlessAborted } from './abort.ts'
import { chunkTokens, LoadedModel } from './model/loaded-model.ts'
import { checkOptions, type LlamaOptions, samplingDefaults } from './options.ts'
import { type Prompt, promptOf } from './prompt.ts'
import { type Grammars, grammarsOf, ReplyWriter } from './reply.ts'
import { ResidentModel } from './model/resident-model.ts'
import { loadRuntime, type Token } from './model/runtime.ts'
import { Sampler } from './sampler.ts'
import type { Slot } from './model/slots.ts'

/** An engine that runs a model in this process. */
export interface LlamaEngine extends Engine {
  /** Loads the model now, instead of with the first request. Throws what is wrong with the file. */
  load(): Promise<void>
  /** Frees the memory. The next request loads the model again. */
  close(): Promise<void>
}

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
  checkOptions(options)
  const { model: path, name = basename(path, '.gguf'), system = 'You are a helpful assistant.' } = options
  const resident = new ResidentModel(() => openModel(options), options.idleMs)

  async function* engine(
    params: MessageCreateParams,
    { signal }: EngineContext = {},
  ): AsyncGenerator<MessageStreamEvent> {
    throwIfAborted(signal)
    const grammars = grammarsOf(params)
    let model: LoadedModel | undefined
    let reading = Promise.resolve()
    resident.begin()
    try {
      model = await unlessAborted(resident.loaded(), signal)
      const prompt = await promptOf(model, params, system)
      const { tokens } = prompt
      if (tokens.length >= model.window) {
        throw apiError('invalid_request_error', `prompt is too long: ${tokens.length} tokens > ${model.window} maximum`)
      }
      const { slot, kept } = await model.slots.take(tokens, signal)
      try {
        yield* replyEvents({ ...prompt, model, slot, kept, params, grammars, name, options, signal })
      } finally {
        const { slots } = model
        // Also if the consumer leaves early: the tokens that were read stay for the next request.
        reading = slot.reading.then(() => slots.release(slot))
      }
    } catch (error) {
      throw model?.isDisposed ? apiError('api_error', 'The model was closed while it replied.') : error
    } finally {
      void reading.then(() => resident.end())
    }
  }

  async function countTokens(params: MessageCountTokensParams): Promise<{ input_tokens: number }> {
    resident.begin()
    try {
      const { tokens } = await promptOf(await resident.loaded(), { ...params, max_tokens: 1 }, system)
      return { input_tokens: tokens.length }
    } finally {
      resident.end()
    }
  }

  return Object.assign(engine, {
    countTokens,
    close: () => resident.close(),
    load: async () => void (await resident.loaded()),
  })
}

interface Request extends Prompt {
  model: LoadedModel
  slot: Slot
  /** How many tokens of the prompt the slot has read already. */
  kept: number
  params: MessageCreateParams
  grammars: Grammars
  name: string
  options: LlamaOptions
  signal: AbortSignal | undefined
}

async function* replyEvents(request: Request): AsyncGenerator<MessageStreamEvent> {
  const { model, slot, kept, tokens, prefill, params, grammars, name, options, signal } = request
  const prompt = { input_tokens: tokens.length - kept, cache_creation_input_tokens: 0, cache_read_input_tokens: kept }
  yield { type: 'message_start', message: emptyMessage(name, { ...prompt, output_tokens: 1 }) }
  await readPrompt(request)
  const room = model.window - tokens.length
  const sampling = { ...samplingDefaults, ...options.sampling }
  const sampler = new Sampler(
    { model, sequence: slot.sequence, params, defaults: sampling, room, signal },
    tokens.at(-1)!,
  )
  const reply = new ReplyWriter(params, grammars, sampler, request.opensThinking)
  yield* reply.events()
  if (reply.stopSequence === null) await remember(model, prefill, sampler.tokens)
  yield {
    type: 'message_delta',
    delta: { stop_reason: reply.stopReason, stop_sequence: reply.stopSequence },
    usage: { ...prompt, output_tokens: sampler.count },
  }
  yield { type: 'message_stop' }
}

/** Reads the tokens that the slot does not have, all but the last: the first token of the reply is sampled from it. */
async function readPrompt({ slot, kept, tokens, options, signal }: Request): Promise<void> {
  const { sequence } = slot
  // Without `false` a longer state is not cut back to its own beginning.
  await read(slot, sequence.adaptStateToTokens(tokens.slice(0, kept), false), signal)
  for (let at = kept; at < tokens.length - 1; at += chunkTokens) {
    options.onRead?.(at, tokens.length)
    const chunk = tokens.slice(at, Math.min(at + chunkTokens, tokens.length - 1))
    await read(slot, sequence.evaluateWithoutGeneratingNewTokens(chunk), signal)
  }
  options.onRead?.(tokens.length, tokens.length)
  throwIfAborted(signal)
}

/** Waits for work of the runtime. It cannot end early, so the slot is taken until it has ended, although the request may not. */
async function read(slot: Slot, work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  slot.reading = work.catch(() => {})
  await unlessAborted(work, signal)
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
