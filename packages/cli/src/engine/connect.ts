import type { ClientOptions, Retry } from 'colloquy'
import type { Engine, EngineContext, MessageCreateParams, MessageStreamEvent, PingEvent } from 'colloquy/protocol'
import { ExitCode, ExitError } from '../exit.ts'
import { filePaths } from '../file-paths.ts'
import type { Environment, Flags } from '../flags.ts'
import type { ChosenModel } from './chosen-model.ts'
import type { EngineKind } from './engine-kind.ts'

/** A connection to a Messages API: Claude's, another server's, or the offline engine's in this process. */
export interface Connection {
  engine: Engine
  /** Replies come from this process and cost nothing. */
  isLocal: boolean
  /** The last request through the engine. Kept up to date by the connection. */
  readonly latest: Readonly<LatestRequest>
}

export interface LatestRequest {
  params: MessageCreateParams | undefined
  /** The id that the API gave to its last response. */
  requestId: string | undefined
  /** The retry that the request waits for; undefined while it does not wait. */
  retry: (Retry & { at: number }) | undefined
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
  const latest: LatestRequest = { params: undefined, requestId: undefined, retry: undefined }
  const timeout = flags.number('timeout')
  const maxRetries = flags.number('retries')
  const client = new Anthropic({
    timeout: timeout === undefined ? undefined : timeout * 1000,
    totalTimeout: timeout === undefined ? undefined : timeout * 1000,
    maxRetries,
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
    ...(await targetOf(chosen, env, wordsPerSecond)),
  })
  const isOffline = chosen.kind === 'offline'
  const attempts = maxRetries ?? 2
  const recover = attempts > 0 ? { attempts } : undefined
  const isLocal = isOffline || chosen.kind === 'local'
  return { engine: recording(upstream(client, { recover }), latest, isOffline), isLocal, latest }
}

/** Records each request in `latest`. Replies of the offline engine name it as their model, so they get no model's price. */
function recording(engine: Engine, latest: LatestRequest, isOffline: boolean): Engine {
  async function* recorded(
    params: MessageCreateParams,
    context?: EngineContext,
  ): AsyncGenerator<MessageStreamEvent | PingEvent> {
    Object.assign(latest, { params, requestId: undefined, retry: undefined })
    for await (const event of engine(params, context)) {
      latest.retry = undefined
      if (!isOffline || event.type !== 'message_start') yield event
      else yield { ...event, message: { ...event.message, model: 'offline' } }
    }
  }
  return Object.assign(recorded, engine)
}

async function targetOf(chosen: EngineKind, env: Environment, wordsPerSecond: number): Promise<ClientOptions> {
  const hasKey = Boolean(env['ANTHROPIC_API_KEY'] || env['ANTHROPIC_AUTH_TOKEN'])
  if (chosen.kind === 'offline') return inProcess((await import('colloquy/engines')).offline({ wordsPerSecond }))
  if (chosen.kind === 'local') return inProcess(await localEngine(chosen.model, env))
  if (chosen.kind === 'chat') {
    const { chatCompletions } = await import('colloquy/engines')
    const apiKey = env['OPENAI_API_KEY']
    return inProcess(chatCompletions({ baseURL: chosen.url, unsupported: 'drop', ...(apiKey && { apiKey }) }))
  }
  if (chosen.kind === 'url') return { baseURL: chosen.url, ...(hasKey ? {} : { apiKey: 'none' }) }
  if (hasKey) return {}
  // A local server often needs no key. One that does answers 401.
  if (env['ANTHROPIC_BASE_URL']) return { apiKey: 'none' }
  throw new ExitError(
    ExitCode.key,
    'No API key. Set ANTHROPIC_API_KEY, or try colloquy chat --engine offline (works without).',
  )
}

/** The model in this process. Its runtime is among the program's packages, or in the folder of its models. */
async function localEngine({ path, title }: ChosenModel, env: Environment): Promise<Engine> {
  const { llama } = await import('@colloquy/llama')
  return llama({ model: path, name: title, runtimeFolder: filePaths(env).runtime })
}

/** The server in this process. Requests pass the same code and checks as over a network. */
async function inProcess(engine: Engine): Promise<ClientOptions> {
  const { createServer } = await import('@colloquy/server')
  // Lenient, so that it accepts names of models that are not Claude's, and answers for retired ones.
  const server = createServer({ engine, lenient: true })
  return {
    apiKey: 'local',
    baseURL: 'http://colloquy.local',
    fetch: async (url: string | URL | Request, init?: RequestInit) => server.fetch(new Request(url, init)),
  }
}
