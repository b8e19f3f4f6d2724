import type { Environment } from '../flags.ts'

/** The engine that replies. */
export type EngineKind =
  /** Claude, or the Messages API at `ANTHROPIC_BASE_URL`. */
  | { kind: 'api' }
  | { kind: 'offline' }
  /** A server of the Messages API. */
  | { kind: 'url'; url: string }
  | ServerEngine
  | FileEngine

/** A server of the Chat Completions API. */
export interface ServerEngine {
  kind: 'chat'
  url: string
  /** The model to ask for. Default: the request's. */
  model?: string
  /** The models that the server listed when it was asked for one. */
  served?: readonly string[] | undefined
  /** The program that serves it, such as `ollama`. */
  from?: string
  /** Parameters in millions, if known. */
  parameters?: number | undefined
  /** The most tokens that it holds, if known. */
  window?: number | undefined
}

/** A model in this process. */
export interface FileEngine {
  kind: 'local'
  model: ModelFile
}

export interface ModelFile {
  /** The GGUF file. */
  path: string
  /** Its name on the screen. */
  title: string
  /** Parameters in millions, if known. */
  parameters?: number | undefined
  /** The most tokens that the model was made for, if known. */
  window?: number | undefined
}

/** The name of the model that an engine always uses. Undefined if the request chooses it. */
export function ownModel(engine: EngineKind): string | undefined {
  if (engine.kind === 'local') return engine.model.title
  return engine.kind === 'chat' ? engine.model : undefined
}

/** Whether two engines of this machine have the same model, in the same place. */
export function isSameEngine(one: EngineKind, other: EngineKind): boolean {
  if (one.kind === 'local') return other.kind === 'local' && one.model.path === other.model.path
  return one.kind === 'chat' && other.kind === 'chat' && one.url === other.url && one.model === other.model
}

/** Whether a model's name is one of Claude's. */
export function isOfClaude(model: string): boolean {
  return /claude/i.test(model)
}

/** The engine's name on the screen: `offline engine`, `api`, a server's host, or `on this machine`. */
export function engineLabel(engine: EngineKind, env: Environment = process.env): string {
  if (engine.kind === 'offline') return 'offline engine'
  if (engine.kind === 'local') return 'on this machine'
  if (engine.kind === 'chat' && engine.from !== undefined && isOnThisMachine(engine)) {
    return `${engine.from} on this machine`
  }
  const base = engine.kind === 'api' ? env['ANTHROPIC_BASE_URL'] : engine.url
  return base ? (URL.parse(base)?.host ?? base) : 'api'
}

/** Honest words about a model that is too small to be relied on; else an empty text. */
export function engineQuality(engine: EngineKind): string {
  const parameters =
    engine.kind === 'local' ? engine.model.parameters : 'parameters' in engine ? engine.parameters : undefined
  return parameters !== undefined && parameters < usefulParameters ? 'fluent, often wrong' : ''
}

/** A model below this size, in millions of parameters, is not used only because it is there. */
export const usefulParameters = 1_000

/** Whether replies come from this machine and cost nothing. */
export function isOnThisMachine(engine: EngineKind): boolean {
  if (engine.kind === 'offline' || engine.kind === 'local') return true
  return engine.kind === 'chat' && /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(URL.parse(engine.url)?.hostname ?? '')
}

/** Whether the environment has a key for Claude, or another Messages API. */
export function hasAccess(env: Environment = process.env): boolean {
  return Boolean(env['ANTHROPIC_API_KEY'] || env['ANTHROPIC_AUTH_TOKEN'] || env['ANTHROPIC_BASE_URL'])
}

/** The `error_code` of the error for a model's server that could not be reached, or whose reply broke off. */
export const unreachableServer = 'unreachable_server'
