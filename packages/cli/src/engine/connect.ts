import type { LlamaOptions } from '@colloquy/llama'
import type { ClientOptions, Retry } from 'colloquy'
import {
  APIConnectionError,
  APIConnectionTimeoutError,
  apiError,
  type Engine,
  type EngineContext,
  type MessageCreateParams,
  type MessageStreamEvent,
  type PingEvent,
} from 'colloquy/protocol'
import { ExitCode, ExitError, UsageError } from '../exit.ts'
import { filePaths } from '../file-paths.ts'
import type { Environment, Flags } from '../flags.ts'
import { chatKeyFor, credentialsFor } from './credentials.ts'
import { isOnThisMachine, unreachableServer, type EngineKind, type FileEngine } from './engine-kind.ts'
import { withoutForeignThinking } from './foreign-thinking.ts'
import { programName } from '../terminal/program-name.ts'

/** A connection to a Messages API: Claude's, another server's, or the offline engine's in this process. */
export interface Connection {
  readonly kind: EngineKind
  readonly engine: Engine
  /** Replies come from this machine and cost nothing. */
  readonly isLocal: boolean
  /** The last request through the engine. Kept up to date by the connection. */
  readonly latest: Readonly<LatestRequest>
  /** Frees the memory of a model in this process. */
  close(): Promise<void>
}

export interface LatestRequest {
  params: MessageCreateParams | undefined
  /** The id that the API gave to its last response. */
  requestId: string | undefined
  /** The retry that the request waits for; undefined while it does not wait. */
  retry: (Retry & { at: number }) | undefined
  /** How many tokens of the prompt a model in this process has read. Undefined for other engines. */
  reading: { done: number; total: number } | undefined
}

export interface ConnectOptions {
  env?: Environment
  /** How fast the offline engine writes. Default: without a limit. */
  wordsPerSecond?: number
  /** Called before the wait for each retry. */
  onRetry?: (retry: Retry) => void
}

/** Connects to the engine. Throws an `ExitError` if a key is missing. */
export async function connect(chosen: EngineKind, flags: Flags, options: ConnectOptions = {}): Promise<Connection> {
  const { env = process.env, wordsPerSecond = Infinity, onRetry } = options
  const [{ Anthropic }, { upstream }] = await Promise.all([import('colloquy'), import('colloquy/engines')])
  const latest: LatestRequest = { params: undefined, requestId: undefined, retry: undefined, reading: undefined }
  const own = await ownEngine(chosen, env, {
    wordsPerSecond,
    onRead: (done, total) => (latest.reading = { done, total }),
  })
  const client = new Anthropic({
    ...limitsOf(flags),
    onRetry: (retry) => {
      latest.retry = { ...retry, at: performance.now() + retry.delayMs }
      onRetry?.(retry)
    },
    middleware: [
      async (request, next) => {
        const response = await next(request)
        latest.requestId = response.headers.get('request-id') ?? undefined
        return response
      },
    ],
    ...(own ? await inProcess(own.engine) : remote(chosen as RemoteEngine, env)),
  })
  const engine = recording(upstream(client, recovery(flags)), latest, chosen)
  return { kind: chosen, engine, isLocal: isOnThisMachine(chosen), latest, close: async () => own?.close?.() }
}

/** The engine without the parts for a chat, for a server in front of it. Throws an `ExitError` if a key is missing. */
export async function servedEngine(chosen: EngineKind, flags: Flags, env: Environment = process.env): Promise<Engine> {
  const own = await ownEngine(chosen, env, {})
  if (own) return own.engine
  const [{ Anthropic }, { upstream }] = await Promise.all([import('colloquy'), import('colloquy/engines')])
  const client = new Anthropic({ ...limitsOf(flags), ...remote(chosen as RemoteEngine, env), transport: 'sockets' })
  return upstream(client, recovery(flags))
}

function limitsOf(flags: Flags): ClientOptions {
  const seconds = flags.number('timeout')
  const timeout = seconds === undefined ? undefined : seconds * 1000
  return { timeout, totalTimeout: timeout, maxRetries: flags.number('retries') }
}

/** A stream that breaks off is continued as often as a request is retried. */
function recovery(flags: Flags): { recover: { attempts: number } | undefined } {
  const attempts = flags.number('retries') ?? 2
  return { recover: attempts > 0 ? { attempts } : undefined }
}

/** Records each request in `latest`. Replies of the offline engine name it as their model, so they get no model's price. */
function recording(engine: Engine, latest: LatestRequest, { kind }: EngineKind): Engine {
  const isOffline = kind === 'offline'
  async function* recorded(
    whole: MessageCreateParams,
    context?: EngineContext,
  ): AsyncGenerator<MessageStreamEvent | PingEvent> {
    const params = kind === 'api' || kind === 'url' ? withoutForeignThinking(whole) : whole
    Object.assign(latest, { params, requestId: undefined, retry: undefined, reading: undefined })
    for await (const event of engine(params, context)) {
      latest.retry = undefined
      if (!isOffline || event.type !== 'message_start') yield event
      else yield { ...event, message: { ...event.message, model: 'offline' } }
    }
  }
  return Object.assign(recorded, engine)
}

/** An engine in this process, and how to free its memory. */
interface OwnEngine {
  engine: Engine
  close?: () => Promise<void>
}

type RemoteEngine = Extract<EngineKind, { kind: 'api' | 'url' }>

/** The engine in this process. Undefined if requests are sent to a server of the Messages API. */
async function ownEngine(
  chosen: EngineKind,
  env: Environment,
  { wordsPerSecond = Infinity, onRead }: Pick<ConnectOptions, 'wordsPerSecond'> & Pick<LlamaOptions, 'onRead'>,
): Promise<OwnEngine | undefined> {
  if (chosen.kind === 'api' || chosen.kind === 'url') return undefined
  if (chosen.kind === 'local') return localEngine(chosen.model, env, onRead)
  const { chatCompletions, offline } = await import('colloquy/engines')
  if (chosen.kind === 'offline') return { engine: offline({ wordsPerSecond }) }
  const { url: baseURL, model, from } = chosen
  // A server that was found on this machine, and not named by the user, gets no key.
  const apiKey = from === undefined ? chatKeyFor(baseURL, env) : undefined
  return {
    engine: chatCompletions({ baseURL, unsupported: 'drop', ...(model && { model }), ...(apiKey && { apiKey }) }),
  }
}

function remote(chosen: RemoteEngine, env: Environment): ClientOptions {
  if (chosen.kind === 'url') return { baseURL: chosen.url, ...credentialsFor(chosen.url, env) }
  if (env['ANTHROPIC_API_KEY'] || env['ANTHROPIC_AUTH_TOKEN']) return {}
  // A local server often needs no key. One that does answers 401.
  if (env['ANTHROPIC_BASE_URL']) return { apiKey: 'none' }
  throw new ExitError(
    ExitCode.key,
    `No API key. Run ${programName} keys set anthropic, set ANTHROPIC_API_KEY, or try ${programName} chat --engine offline (works without).`,
  )
}

/** The model in this process. Its runtime is among the program's packages, or in the folder of its models. */
async function localEngine(
  { path, title }: FileEngine['model'],
  env: Environment,
  onRead: LlamaOptions['onRead'],
): Promise<OwnEngine> {
  const { hasRuntime, llama } = await import('@colloquy/llama')
  const runtimeFolder = filePaths(env).runtime
  if (!hasRuntime(runtimeFolder)) {
    throw new UsageError(
      `Cannot use ${title} yet: the runtime for model files is missing. ${programName} models use ${path} installs it`,
    )
  }
  const engine = llama({ model: path, name: title, runtimeFolder, onRead })
  return { engine, close: () => engine.close() }
}

/**
 * A server hides from its clients how the connection of its engine failed, and to which host. Here the only client is the user
 * who named it.
 */
function namingHosts(engine: Engine): Engine {
  async function* named(
    params: MessageCreateParams,
    context?: EngineContext,
  ): AsyncGenerator<MessageStreamEvent | PingEvent> {
    try {
      yield* engine(params, context)
    } catch (error) {
      if (!(error instanceof APIConnectionError) || error instanceof APIConnectionTimeoutError) throw error
      const message = error.message.replace(/^Connection error: c/, 'C')
      throw apiError('api_error', message, { error_code: unreachableServer })
    }
  }
  return Object.assign(named, engine)
}

/** The options of a client for a server in this process. Requests pass the same code and checks as over a network. */
async function inProcess(engine: Engine): Promise<ClientOptions> {
  const { createServer } = await import('@colloquy/server')
  // Lenient, so that it accepts names of models that are not Claude's, and answers for retired ones.
  const server = createServer({ engine: namingHosts(engine), lenient: true })
  return {
    apiKey: 'local',
    baseURL: 'http://colloquy.local',
    fetch: async (url: string | URL | Request, init?: RequestInit) => server.fetch(url, init),
  }
}
