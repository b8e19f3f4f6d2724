import type { ClientOptions, Retry } from 'colloquy'
import type { Engine, EngineContext, MessageCreateParams, MessageStreamEvent, PingEvent } from 'colloquy/protocol'
import { ExitCode, ExitError, UsageError } from './exit.ts'
import type { Environment, Flags } from './flags.ts'

/** A connection to a Messages API: Claude's, another server's, or the offline engine's in this process. */
export interface Connection {
  engine: Engine
  /** Replies come from the offline engine and cost nothing. */
  isOffline: boolean
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

/** The engine that the flags and the environment ask for: `api`, `offline` or a URL. Loads nothing. */
export function engineKind(flags: Flags, env: Environment = process.env): string {
  const given = flags.text('engine')
  if (given !== undefined) return given
  return env['ANTHROPIC_API_KEY'] || env['ANTHROPIC_AUTH_TOKEN'] || env['ANTHROPIC_BASE_URL'] ? 'api' : 'offline'
}

/** The engine's name on the screen: `offline engine`, `api`, or the host of a server. */
export function engineLabel(kind: string, env: Environment = process.env): string {
  if (kind === 'offline') return 'offline engine'
  const base = kind === 'api' ? env['ANTHROPIC_BASE_URL'] : kind
  return base ? (URL.parse(base)?.host ?? base) : 'api'
}

/** Connects to the engine. Throws an `ExitError` if a key is missing. */
export async function connect(kind: string, flags: Flags, options: ConnectOptions = {}): Promise<Connection> {
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
    ...(await targetOf(kind, env, wordsPerSecond)),
  })
  const isOffline = kind === 'offline'
  const attempts = maxRetries ?? 2
  const recover = attempts > 0 ? { attempts } : undefined
  return { engine: recording(upstream(client, { recover }), latest, isOffline), isOffline, latest }
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

async function targetOf(kind: string, env: Environment, wordsPerSecond: number): Promise<ClientOptions> {
  const hasKey = Boolean(env['ANTHROPIC_API_KEY'] || env['ANTHROPIC_AUTH_TOKEN'])
  if (kind === 'offline') return offlineTarget(wordsPerSecond)
  if (kind === 'api') {
    if (hasKey) return {}
    // A local server often needs no key. One that does answers 401.
    if (env['ANTHROPIC_BASE_URL']) return { apiKey: 'none' }
    throw new ExitError(
      ExitCode.key,
      'No API key. Set ANTHROPIC_API_KEY, or try colloquy chat --engine offline (works without).',
    )
  }
  const url = URL.parse(kind)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      `Cannot use --engine ${kind}: it must be api, offline, or a URL that begins with http:// or https://`,
    )
  }
  return { baseURL: kind, ...(hasKey ? {} : { apiKey: 'none' }) }
}

/** The server in this process. Requests pass the same code and checks as over a network. */
async function offlineTarget(wordsPerSecond: number): Promise<ClientOptions> {
  const [{ createServer }, { offline }] = await Promise.all([import('@colloquy/server'), import('colloquy/engines')])
  // Lenient, so that the engine also answers for retired models, with a note about their successor.
  const server = createServer({ engine: offline({ wordsPerSecond }), lenient: true })
  return {
    apiKey: 'offline',
    baseURL: 'http://colloquy.local',
    fetch: async (url: string | URL | Request, init?: RequestInit) => server.fetch(new Request(url, init)),
  }
}
