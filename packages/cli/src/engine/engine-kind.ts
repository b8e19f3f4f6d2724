import { resolve } from 'node:path'
import { UsageError } from '../exit.ts'
import type { Environment, Flags } from '../flags.ts'
import { chosenModel, modelAt, type ChosenModel } from './chosen-model.ts'

/** The engine that replies. */
export type EngineKind =
  /** Claude, or the Messages API at `ANTHROPIC_BASE_URL`. */
  | { kind: 'api' }
  | { kind: 'offline' }
  /** A server of the Messages API. */
  | { kind: 'url'; url: string }
  /** A server of the Chat Completions API. */
  | { kind: 'chat'; url: string }
  /** A model in this process. */
  | { kind: 'local'; model: ChosenModel }

/**
 * The engine that the flags and the environment ask for: `--engine`, `COLLOQUY_ENGINE`, a key or base URL, the model that was
 * chosen last, or the offline engine. With `CI` set, no local model is used unasked. Loads nothing.
 */
export function engineKind(flags: Flags, env: Environment = process.env): EngineKind {
  const given = flags.text('engine') ?? env['COLLOQUY_ENGINE']
  if (given !== undefined && given !== '') return namedEngine(given, env)
  if (env['ANTHROPIC_API_KEY'] || env['ANTHROPIC_AUTH_TOKEN'] || env['ANTHROPIC_BASE_URL']) return { kind: 'api' }
  const model = env['CI'] ? undefined : chosenModel(env)
  return model === undefined ? { kind: 'offline' } : { kind: 'local', model }
}

/** Whether nothing but the absence of a key and a model decided for the offline engine. */
export function isByDefault(flags: Flags, env: Environment = process.env): boolean {
  return !flags.has('engine') && !env['COLLOQUY_ENGINE']
}

/** The engine of a name: `api`, `offline`, `local`, a GGUF file, a URL, or `chat:` and a URL. */
export function namedEngine(name: string, env: Environment = process.env): EngineKind {
  if (name === 'api' || name === 'offline') return { kind: name }
  if (name === 'local') return { kind: 'local', model: chosenModel(env) ?? noModel() }
  if (name.endsWith('.gguf')) return { kind: 'local', model: modelAt(resolve(name)) }
  const isChat = name.startsWith('chat:')
  const url = isChat ? name.slice('chat:'.length) : name
  const { protocol } = URL.parse(url) ?? {}
  if (protocol === 'http:' || protocol === 'https:') return { kind: isChat ? 'chat' : 'url', url }
  throw new UsageError(
    `Cannot use --engine ${name}: it must be api, offline, local, a .gguf file, or a URL that begins with http:// or https://, with chat: before it for a Chat Completions server`,
  )
}

/** The engine's name on the screen: `offline engine`, `api`, a server's host, or `on this machine`. */
export function engineLabel(engine: EngineKind, env: Environment = process.env): string {
  if (engine.kind === 'offline') return 'offline engine'
  if (engine.kind === 'local') return 'on this machine'
  const base = engine.kind === 'api' ? env['ANTHROPIC_BASE_URL'] : engine.url
  return base ? (URL.parse(base)?.host ?? base) : 'api'
}

function noModel(): never {
  throw new UsageError(
    'Cannot use --engine local: no model has been chosen. colloquy models get smollm2 fetches a small one.',
  )
}
