import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { UsageError } from '../exit.ts'
import { withHome } from '../file-paths.ts'
import type { Environment, Flags } from '../flags.ts'
import { chosenEngine, hasDeclined } from './chosen-engine.ts'
import { hasAccess, isOfClaude, type EngineKind, type FileEngine, type ServerEngine } from './engine-kind.ts'
import { programName } from '../terminal/program-name.ts'

/**
 * The engine that the flags and the environment ask for: `--engine`, `COLLOQUY_ENGINE`, a file in `--model`, a key or base URL,
 * the model that was chosen last, or the offline engine. With `CI` set, no local model is used unasked. Loads nothing.
 */
export function engineKind(flags: Flags, env: Environment = process.env): EngineKind {
  const given = flags.text('engine') || env['COLLOQUY_ENGINE']
  if (given) return namedEngine(given, env)
  const model = flags.text('model')
  if (model?.endsWith('.gguf')) return fileEngine(model)
  if (hasAccess(env)) return { kind: 'api' }
  return (env['CI'] ? undefined : chosenEngine(env)) ?? { kind: 'offline' }
}

/** The engine of `engineKind()`, unless one has to be looked for: then undefined, and `findEngine()` looks. */
export function knownEngine(flags: Flags, env: Environment = process.env): EngineKind | undefined {
  if (needsFirstEngine(flags, env) || namesCandidate(flags, env)) return undefined
  const engine = engineKind(flags, env)
  return needsModel(engine, flags, env) || needsFacts(engine) ? undefined : engine
}

/** Whether a first chat has to look for an engine: there is no key, none was named, and none was chosen before. */
export function needsFirstEngine(flags: Flags, env: Environment = process.env): boolean {
  return isByDefault(flags, env) && !env['CI'] && engineKind(flags, env).kind === 'offline' && !hasDeclined(env)
}

/**
 * The model that the user named for a Chat Completions server. A default that is one of Claude's, such as the `model` of the
 * configuration, is meant for Claude.
 */
export function modelForServer(flags: Flags, env: Environment): string | undefined {
  const given = flags.given.text('model')
  if (given !== undefined) return given
  const byDefault = flags.text('model') ?? env['COLLOQUY_MODEL']
  return byDefault === undefined || isOfClaude(byDefault) ? undefined : byDefault
}

/** Whether the server has to be asked which models it has. */
export function needsModel(engine: EngineKind, flags: Flags, env: Environment = process.env): engine is ServerEngine {
  return engine.kind === 'chat' && engine.model === undefined && modelForServer(flags, env) === undefined
}

/** Whether the engine is a model file that was given by hand, which has to be read first. */
export function needsFacts(engine: EngineKind): engine is FileEngine {
  return engine.kind === 'local' && engine.model.window === undefined
}

/** Whether `--model` may be the name of a model of this machine, such as `ollama/llama3.2:1b`. */
export function namesCandidate(flags: Flags, env: Environment = process.env): boolean {
  const model = flags.text('model')
  if (model === undefined || flags.text('engine') !== undefined || env['COLLOQUY_ENGINE'] || model.endsWith('.gguf'))
    return false
  return isCandidateName(model) || !(hasAccess(env) || env['CI'] || /^claude/i.test(model))
}

/** Whether a model's name can only be that of a model of this machine. */
export function isCandidateName(name: string): boolean {
  return /^(?:ollama|lmstudio|llama\.cpp|vllm|sglang|jan|gpt4all|koboldcpp|huggingface)\//.test(name)
}

/** Whether nothing but the absence of a key decides for the engine. */
export function isByDefault(flags: Flags, env: Environment = process.env): boolean {
  return flags.text('engine') === undefined && !flags.has('model') && !env['COLLOQUY_ENGINE'] && !hasAccess(env)
}

/** The engine of a name: `api`, `offline`, `local`, a GGUF file, a URL, or `chat:` and a URL. */
export function namedEngine(name: string, env: Environment = process.env): EngineKind {
  if (name === 'api' || name === 'offline') return { kind: name }
  if (name === 'local') return chosenEngine(env) ?? noModel()
  if (name.endsWith('.gguf')) return fileEngine(name)
  const isChat = name.startsWith('chat:')
  const url = isChat ? name.slice('chat:'.length) : name
  const { protocol } = URL.parse(url) ?? {}
  if (protocol === 'http:' || protocol === 'https:') return { kind: isChat ? 'chat' : 'url', url }
  throw new UsageError(
    `Cannot use --engine ${name}: it must be api, offline, local, a .gguf file, or a URL that begins with http:// or https://, with chat: before it for a Chat Completions server`,
  )
}

/** The engine of a model file that was given by hand. */
function fileEngine(name: string): FileEngine {
  const path = withHome(name)
  if (!existsSync(path)) throw new UsageError(`Cannot use ${path}: there is no such file`)
  return { kind: 'local', model: { path: resolve(path), title: basename(path, '.gguf') } }
}

function noModel(): never {
  throw new UsageError(
    `Cannot use --engine local: no model has been chosen. ${programName} models get smollm2 fetches a small one.`,
  )
}
