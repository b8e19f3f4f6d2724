import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { MessageParam } from 'colloquy/protocol'

// The parts of node-llama-cpp that the loop uses.
interface Sequence {
  evaluate(tokens: readonly number[], options: object): AsyncGenerator<number>
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>
  clearHistory(): Promise<void>
}
interface Model {
  tokenize(text: string, specialTokens: boolean): number[]
  createContext(options: object): Promise<{ getSequence(): Sequence; dispose(): Promise<void> }>
  dispose(): Promise<void>
}
interface Runtime {
  getLlama(options: object): Promise<{ loadModel(options: object): Promise<Model> }>
}

/** The same model with nothing around it: one loop over the tokens that the runtime samples. */
export class BareModel {
  readonly #model: Model
  readonly #sequence: Sequence

  private constructor(model: Model, sequence: Sequence) {
    this.#model = model
    this.#sequence = sequence
  }

  static async load(modelPath: string, runtimeFolder: string): Promise<BareModel> {
    const file = createRequire(join(runtimeFolder, 'x.js')).resolve('node-llama-cpp')
    const { getLlama } = (await import(pathToFileURL(file).href)) as Runtime
    const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, progressLogs: false, maxThreads: 1 })
    const model = await llama.loadModel({ modelPath })
    const context = await model.createContext({ contextSize: 4096, sequences: 2, threads: 1, batchSize: 512 })
    return new BareModel(model, context.getSequence())
  }

  /** Tokens for a second of CPU time, sampled as the engine samples them. */
  async speed(
    [question]: MessageParam[],
    count: number,
    cpuMs: <T>(work: () => Promise<T>) => Promise<{ ms: number; result: T }>,
  ): Promise<number> {
    const prompt = `<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n${question!.content as string}<|im_end|>\n<|im_start|>assistant\n`
    const tokens = this.#model.tokenize(prompt, true)
    await this.#sequence.clearHistory()
    await this.#sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(0, -1))
    const sampled: number[] = []
    const penalty = { punishTokens: () => sampled.slice(-64), penalty: 1.1 }
    const { ms } = await cpuMs(async () => {
      const options = { temperature: 0, topP: 0.9, topK: 0, yieldEogToken: true, repeatPenalty: penalty }
      for await (const token of this.#sequence.evaluate(tokens.slice(-1), options)) {
        if (sampled.push(token) >= count) break
      }
    })
    return (sampled.length / ms) * 1000
  }

  /** The CPU time to read so many tokens after so many others that were read before, and to sample one. */
  async firstToken(
    kept: number,
    read: number,
    cpuMs: <T>(work: () => Promise<T>) => Promise<{ ms: number; result: T }>,
  ): Promise<number> {
    const tokens = this.#model.tokenize('and what is the next thing to see? '.repeat(200), false).slice(0, kept + read)
    await this.#sequence.clearHistory()
    if (kept > 0) await this.#sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(0, kept))
    const { ms } = await cpuMs(async () => {
      if (read > 1) await this.#sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(kept, -1))
      for await (const _ of this.#sequence.evaluate(tokens.slice(-1), { temperature: 0, yieldEogToken: true })) break
    })
    return ms
  }

  async dispose(): Promise<void> {
    await this.#model.dispose()
  }
}
