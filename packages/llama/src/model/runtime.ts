import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { fileError } from '../files/check-file.ts'

// The parts of node-llama-cpp that are used. It is an optional peer, so its own types may not be there.

export type Token = number & { readonly token?: never }

export interface Grammar {
  readonly grammar: string
}

export interface Sequence {
  /** How many tokens the sequence holds. */
  readonly nextTokenIndex: number
  compareContextTokens(tokens: readonly Token[]): { firstDifferentIndex: number }
  adaptStateToTokens(tokens: readonly Token[], allowShift?: boolean): Promise<void>
  evaluateWithoutGeneratingNewTokens(tokens: readonly Token[]): Promise<void>
  evaluate(tokens: readonly Token[], options: EvaluateOptions): AsyncGenerator<Token>
  clearHistory(): Promise<void>
}

export interface EvaluateOptions {
  temperature: number
  topP: number
  topK: number
  seed?: number
  yieldEogToken: true
  grammarEvaluationState?: object
  repeatPenalty?: { punishTokens: () => readonly Token[]; penalty: number }
}

export interface Context {
  getSequence(): Sequence
  dispose(): Promise<void>
}

export interface RawModel {
  readonly trainContextSize: number
  readonly fileInfo: { metadata: Record<string, Record<string, unknown> | undefined> }
  readonly tokens: {
    bos: Token | null
    bosString: string | null
    eosString: string | null
    shouldPrependBosToken: boolean
  }
  tokenize(text: string, specialTokens: boolean): Token[]
  detokenize(tokens: readonly Token[], specialTokens?: boolean, lastTokens?: readonly Token[]): string
  isEogToken(token: Token): boolean
  createContext(options: object): Promise<Context>
  dispose(): Promise<void>
}

export interface Llama {
  loadModel(options: { modelPath: string }): Promise<RawModel>
  createGrammar(options: { grammar: string }): Promise<Grammar>
}

export interface Runtime {
  getLlama(options: object): Promise<Llama>
  LlamaGrammarEvaluationState: new (options: { model: RawModel; grammar: Grammar }) => object
  LlamaLogLevel: { error: unknown }
}

/** The version of node-llama-cpp that this package was made for. */
export const runtimeVersion = '3.22.1'

/**
 * Loads node-llama-cpp: from where this program's own packages are, else from a folder in which it was installed.
 *
 * @throws {APIError} that says how to install it, or why it cannot be loaded.
 */
export async function loadRuntime(folder?: string): Promise<Runtime> {
  for (const from of [import.meta.url, ...(folder === undefined ? [] : [pathToFileURL(join(folder, 'x.js')).href])]) {
    const file = resolveFrom(from)
    if (file !== undefined) return imported(file)
  }
  throw fileError(
    `Cannot run a model in this process as node-llama-cpp is not installed: npm install node-llama-cpp@${runtimeVersion}`,
  )
}

async function imported(file: string): Promise<Runtime> {
  try {
    return (await import(pathToFileURL(file).href)) as Runtime
  } catch (error) {
    throw fileError(`Cannot load node-llama-cpp: ${(error as Error).message.split('\n')[0]}`)
  }
}

/** Whether node-llama-cpp can be loaded. */
export function hasRuntime(folder?: string): boolean {
  return [import.meta.url, ...(folder === undefined ? [] : [pathToFileURL(join(folder, 'x.js')).href])].some(
    (from) => resolveFrom(from) !== undefined,
  )
}

function resolveFrom(from: string): string | undefined {
  try {
    return createRequire(from).resolve('node-llama-cpp')
  } catch {
    return undefined
  }
}
