import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Anthropic } from 'colloquy'
import { chatCompletions, type Engine, offline, route, script, upstream } from 'colloquy/engines'
import { UsageError } from '../../../exit.ts'
import { filePaths } from '../../../file-paths.ts'
import { sendsAnthropicKey } from '../../../engine/credentials.ts'
import { systemReason } from '../../../errors/system-error.ts'
import type { ApiConfig, ChatConfig, EngineConfig, LocalConfig, ScriptConfig, Secret, ServeConfig } from './config.ts'
import type { ReadConfig } from './read-config.ts'
import { readText } from '../../../read-text.ts'

/** An engine of a configuration: several that share its requests if it has several keys. */
interface ConfiguredEngine {
  engines: readonly Engine[]
  /** The first client of the API. */
  client?: Anthropic
  /** Frees what the engine holds: the memory of a model. */
  close(): Promise<void>
}

/** The engines of a configuration in use. */
export interface UsedEngines {
  engine: Engine
  /** Undefined if nothing is passed on. */
  client: Anthropic | undefined
  closeOthers: () => Promise<void>
}

/** The engines of configurations. Those that a new configuration does not change are kept, with their models in memory. */
export class ConfiguredEngines {
  #current = new Map<string, ConfiguredEngine>()

  /**
   * Makes the engines of a configuration. Throws a `UsageError` for a file that is not there or a key that is missing.
   *
   * @returns the engine that routes to them, the client that batches and files are passed on to, and a function that frees
   *   the engines that are not used any more.
   */
  async use({ path, config }: ReadConfig): Promise<UsedEngines> {
    const next = new Map<string, ConfiguredEngine>()
    const byName: Record<string, readonly Engine[]> = {}
    for (const [name, engine] of Object.entries(config.engines)) {
      const key = JSON.stringify([name, engine])
      const made = this.#current.get(key) ?? (await makeEngine(engine, { name, folder: dirname(resolve(path)) }))
      next.set(key, made)
      byName[name] = made.engines
    }
    const unused = [...this.#current].filter(([key]) => !next.has(key)).map(([, engine]) => engine)
    const engine = route({ engines: byName, routes: routesOf(config), ...config.failover })
    this.#current = next
    return {
      engine,
      client: [...next].find(([key]) => (JSON.parse(key) as [string])[0] === config.passOn)?.[1].client,
      closeOthers: () => closeAll(unused),
    }
  }

  /** Frees what the engines hold. */
  async close(): Promise<void> {
    await closeAll([...this.#current.values()])
  }
}

async function closeAll(engines: readonly ConfiguredEngine[]): Promise<void> {
  await Promise.all(engines.map((engine) => engine.close()))
}

/** The routes; without any, all requests go to the only engine. */
export function routesOf({ routes, engines }: ServeConfig): NonNullable<ServeConfig['routes']> {
  return routes ?? { '*': Object.keys(engines)[0]! }
}

interface Place {
  name: string
  /** The folder of the configuration. */
  folder: string
}

async function makeEngine(config: EngineConfig, place: Place): Promise<ConfiguredEngine> {
  try {
    return await engineOf(config, place)
  } catch (error) {
    throw new UsageError(`Cannot use the engine ${place.name}: ${systemReason(error)}`)
  }
}

async function engineOf(config: EngineConfig, place: Place): Promise<ConfiguredEngine> {
  switch (config.type) {
    case 'api':
      return apiEngines(config)
    case 'chat':
      return lasting(chatEngines(config))
    case 'local':
      return localEngine(config, place)
    case 'offline':
      return lasting([offline({ wordsPerSecond: config.wordsPerSecond ?? Infinity })])
    case 'script':
      return lasting([scriptEngine(config, place)])
  }
}

/** Engines that hold nothing that has to be freed. */
function lasting(engines: readonly Engine[]): ConfiguredEngine {
  return { engines, close: async () => {} }
}

function apiEngines({ baseURL, apiKey, authToken, headers, timeoutMs, retries = 0 }: ApiConfig): ConfiguredEngine {
  const credentials = [
    ...listOf(apiKey).map((key) => ({ apiKey: key, authToken: null })),
    ...listOf(authToken).map((token) => ({ authToken: token, apiKey: null })),
  ]
  const secrets = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN'].map((each) => process.env[each])
  const hasDefault = baseURL === undefined ? secrets.some(Boolean) : sendsAnthropicKey(baseURL, process.env)
  if (credentials.length === 0 && !hasDefault && baseURL === undefined)
    throw new Error('it has no apiKey, and ANTHROPIC_API_KEY is not set')
  // A server of the API on this machine often needs no key. One that does answers 401.
  const all = credentials.length > 0 ? credentials : [hasDefault ? {} : { apiKey: 'none', authToken: null }]
  const clients = all.map((credential) => {
    return new Anthropic({
      ...credential,
      ...(baseURL !== undefined && { baseURL }),
      ...(timeoutMs !== undefined && { timeout: timeoutMs }),
      ...(headers && { defaultHeaders: headers as Record<string, string> }),
      maxRetries: retries,
    })
  })
  const engines = clients.map((client) => upstream(client, retries > 0 ? { recover: { attempts: retries } } : {}))
  return { ...lasting(engines), ...(clients[0] && { client: clients[0] }) }
}

function chatEngines({ type: _, apiKey, headers, ...options }: ChatConfig): Engine[] {
  const keys = listOf(apiKey)
  return (keys.length > 0 ? keys : [undefined]).map((key) =>
    chatCompletions({
      unsupported: 'drop',
      ...options,
      ...(key !== undefined && { apiKey: key }),
      ...(headers && { headers: headers as Record<string, string> }),
    }),
  )
}

async function localEngine({ type: _, model, ...options }: LocalConfig, place: Place): Promise<ConfiguredEngine> {
  const path = resolve(place.folder, model)
  if (!existsSync(path)) throw new Error(`there is no file ${path}`)
  const { llama } = await import('@colloquy/llama')
  const engine = llama({ model: path, runtimeFolder: filePaths().runtime, ...options })
  return { engines: [engine], close: () => engine.close() }
}

function scriptEngine({ steps, file, otherwise }: ScriptConfig, place: Place): Engine {
  if ((steps === undefined) === (file === undefined)) throw new Error('it needs either steps or a file')
  const given = steps ?? stepsIn(resolve(place.folder, file!))
  return script(given as never, otherwise === undefined ? {} : { otherwise: offline() })
}

function stepsIn(path: string): unknown[] {
  try {
    const steps: unknown = JSON.parse(readText(path))
    if (Array.isArray(steps)) return steps
    throw new Error('it is not a list')
  } catch (error) {
    throw new Error(`cannot read the steps in ${path}: ${systemReason(error)}`, { cause: error })
  }
}

/** The variables of the environment have been replaced, so that only strings are left. */
function listOf(secrets: Secret | Secret[] | undefined): string[] {
  return secrets === undefined ? [] : ([secrets].flat() as string[])
}
