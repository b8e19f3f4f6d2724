import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'colloquy/protocol'
import { UsageError } from '../exit.ts'
import type { Environment } from '../flags.ts'
import { chatKeyFor } from './credentials.ts'
import { engineLabel, type ServerEngine } from './engine-kind.ts'

/** The most models that an error lists. */
const maxNamed = 10

export interface ServedModelsOptions {
  env?: Environment
  signal?: AbortSignal
  /** How long the server may take to answer. Milliseconds. Default 10,000: a list needs no model. */
  timeoutMs?: number
}

/** The ids of the models that a Chat Completions server lists. */
export async function servedModels(
  { url: baseURL, from }: ServerEngine,
  { env = process.env, signal, timeoutMs = 10_000 }: ServedModelsOptions = {},
): Promise<string[]> {
  const { chatCompletions } = await import('colloquy/engines')
  const apiKey = from === undefined ? chatKeyFor(baseURL, env) : undefined
  const server = chatCompletions({ baseURL, timeoutMs, ...(apiKey && { apiKey }) })
  return (await server.listModels!({ ...(signal && { signal }) })).map(({ id }) => id)
}

/**
 * The engine with a model of the server: `preferred` or another default of the user that the server has, or the only one.
 * With several it has their names instead, as the chat that is continued may use one of them. Throws a `UsageError` if the
 * server does not list any.
 */
export async function withServedModel(
  engine: ServerEngine,
  preferred: string | undefined,
  options: ServedModelsOptions = {},
): Promise<ServerEngine> {
  const { env = process.env } = options
  const served = await listed(engine, options)
  const defaults = [preferred, env['COLLOQUY_MODEL'], env['ANTHROPIC_MODEL']]
  const model = defaults.find((name) => name !== undefined && served.includes(name))
  if (model !== undefined) return { ...engine, model, served }
  return served.length === 1 ? { ...engine, model: served[0]!, served } : { ...engine, served }
}

async function listed(engine: ServerEngine, options: ServedModelsOptions): Promise<string[]> {
  const served = await servedModels(engine, options).catch((error: unknown) => {
    if (hasNoList(error)) return []
    throw error
  })
  if (served.length > 0) return served
  throw new UsageError(`Cannot choose a model of ${engineLabel(engine)}: it lists none. Name one with -m`)
}

/** Whether a server that was reached, and accepted the key, answered something other than a list. */
function hasNoList(error: unknown): boolean {
  if (error instanceof APIConnectionTimeoutError) return false
  if (error instanceof APIConnectionError) return error.cause === undefined || error.cause instanceof SyntaxError
  return error instanceof APIError && (error.status === 400 || error.status === 404 || error.status === 501)
}

/** The error for a server with several models, if none was named. */
export function severalModels(engine: ServerEngine, namedBy = '-m'): UsageError {
  const { served = [] } = engine
  const rest = served.length - maxNamed
  const names = [...served.slice(0, maxNamed), ...(rest > 0 ? [`${rest} more`] : [])].join(', ')
  return new UsageError(`Cannot choose a model of ${engineLabel(engine)}: name one with ${namedBy}. It has ${names}`)
}
