import { AnthropicError, checkOptionNames } from 'colloquy/protocol'
import type { SamplingDefaults } from './sampler.ts'

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
  /** Called while a prompt is read, with the tokens that were read and all of them. A prompt of 128 tokens is read at once. */
  onRead?: ((done: number, total: number) => void) | undefined
  /** A folder in which node-llama-cpp was installed, if it is not among the program's own packages. */
  runtimeFolder?: string
}

export const samplingDefaults: SamplingDefaults = { temperature: 0.2, topP: 0.9, topK: 0, repeatPenalty: 1.1 }

const optionNames = [
  'model',
  'name',
  'contextSize',
  'parallel',
  'threads',
  'maxQueue',
  'idleMs',
  'system',
  'sampling',
  'onRead',
  'runtimeFolder',
] satisfies (keyof LlamaOptions)[]

/** The least value of each number. */
const counts = { contextSize: 1, parallel: 1, threads: 1, maxQueue: 0, idleMs: 0 }
const samplingRanges: Record<keyof SamplingDefaults, [least: number, most: number]> = {
  temperature: [0, Infinity],
  topP: [0, 1],
  topK: [0, Infinity],
  repeatPenalty: [0, Infinity],
}

/** Throws an `AnthropicError` for an option that is not known, and for a value that an option cannot have. */
export function checkOptions(options: LlamaOptions): void {
  checkOptionNames(options, optionNames, 'llama()')
  const { model, sampling = {} } = options
  if (typeof model !== 'string' || model === '') throw cannot('model must be the path of a GGUF file', model)
  for (const [name, least] of Object.entries(counts)) {
    const value = options[name as keyof typeof counts]
    if (value === undefined || (value >= least && (Number.isInteger(value) || value === Infinity))) continue
    throw cannot(`${name} must be a whole number from ${least} on`, value)
  }
  checkOptionNames(sampling, Object.keys(samplingRanges), 'sampling')
  for (const [name, [least, most]] of Object.entries(samplingRanges)) {
    const value = sampling[name as keyof SamplingDefaults]
    if (value === undefined || (typeof value === 'number' && value >= least && value <= most)) continue
    throw cannot(`${name} must be a number from ${least}${most === Infinity ? ' on' : ` to ${most}`}`, value)
  }
}

function cannot(rule: string, found: unknown): AnthropicError {
  return new AnthropicError(
    `Cannot use llama() as ${rule}: found ${typeof found === 'string' ? JSON.stringify(found) : String(found)}`,
  )
}
