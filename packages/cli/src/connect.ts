import type { Anthropic, ClientOptions, Retry } from 'colloquy'
import type { Engine, EngineContext, MessageCreateParams, MessageStreamEvent, PingEvent } from 'colloquy/protocol'
import type { Flags } from './command.ts'
import { ExitCode, ExitError, UsageError } from './exit.ts'

/** Who answers. */
export interface Connection {
  client: Anthropic
  /** `api`, `offline`, or the host of a server. */
  label: string
  /** The offline engine answers: no tokens are paid for. */
  isOffline: boolean
  /** The client as an engine. It notes what it sends. */
  engine: Engine
  /** What was sent last, and the id that the API gave it. */
  last: { request: MessageCreateParams | undefined; requestId: string | undefined }
  /** Told before each retry; set by who can show it. */
  onRetry: ((retry: Retry) => void) | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** The kind of engine that the flags and the environment ask for, without loading it. */
export function engineKind(flags: Flags, env: Environment = process.env): string {
  const asked = flags.text('engine')
  if (asked !== undefined) return asked
  return env['ANTHROPIC_API_KEY'] || env['ANTHROPIC_AUTH_TOKEN'] || env['ANTHROPIC_BASE_URL'] ? 'api' : 'offline'
}

/** How the kind is called on screen. */
export function engineLabel(kind: string, env: Environment = process.env): string {
  if (kind === 'offline') return 'offline engine'
  const base = kind === 'api' ? env['ANTHROPIC_BASE_URL'] : kind
  return base ? (URL.parse(base)?.host ?? base) : 'api'
}

/** Opens the way to whoever answers; throws `ExitError` where a key is missing. `wordsPerSecond` is the offline engine's. */
export async function connect(
  kind: string,
  flags: Flags,
  { env = process.env, wordsPerSecond = Infinity }: { env?: Environment; wordsPerSecond?: number } = {},
): Promise<Connection> {
  const [{ Anthropic }, { upstream }] = await Promise.all([import('colloquy'), import('colloquy/engines')])
  const last: Connection['last'] = { request: undefined, requestId: undefined }
  const timeout = flags.number('timeout')
  const maxRetries = flags.number('retries')
  const options: ClientOptions = {
    timeout: timeout === undefined ? undefined : timeout * 1000,
    totalTimeout: timeout === undefined ? undefined : timeout * 1000,
    maxRetries,
    onRetry: (retry) => connection.onRetry?.(retry),
    middleware: [
      async (request, next) => {
        const response = await next(request)
        last.requestId = response.headers.get('request-id') ?? undefined
        return response
      },
    ],
    ...(await targetOf(kind, env, wordsPerSecond)),
  }
  const client = new Anthropic(options)
  const isOffline = kind === 'offline'
  const attempts = maxRetries ?? 2
  const engine = noting(upstream(client, { recover: attempts > 0 ? { attempts } : undefined }), last, isOffline)
  const connection: Connection = { client, engine, label: engineLabel(kind, env), isOffline, last, onRetry: undefined }
  return connection
}

/** Notes each request. Replies of the offline engine say whose they are: what no model wrote has no model's price. */
function noting(ask: Engine, last: Connection['last'], isOffline: boolean): Engine {
  async function* noted(
    params: MessageCreateParams,
    context?: EngineContext,
  ): AsyncGenerator<MessageStreamEvent | PingEvent> {
    last.request = params
    last.requestId = undefined
    for await (const event of ask(params, context)) {
      if (!isOffline || event.type !== 'message_start') yield event
      else yield { ...event, message: { ...event.message, model: 'offline' } }
    }
  }
  return Object.assign(noted, ask)
}

async function targetOf(kind: string, env: Environment, wordsPerSecond: number): Promise<ClientOptions> {
  const hasKey = Boolean(env['ANTHROPIC_API_KEY'] || env['ANTHROPIC_AUTH_TOKEN'])
  if (kind === 'offline') return offlineTarget(wordsPerSecond)
  if (kind === 'api') {
    if (hasKey) return {}
    // Servers of one's own often want no key; whether this one does, it says itself.
    if (env['ANTHROPIC_BASE_URL']) return { apiKey: 'none' }
    throw new ExitError(
      ExitCode.key,
      'No API key. Set ANTHROPIC_API_KEY, or try colloquy chat --engine offline (works without).',
    )
  }
  const url = URL.parse(kind)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      `Cannot use --engine ${kind}: it is api, offline, or a URL that begins with http:// or https://`,
    )
  }
  return { baseURL: kind, ...(hasKey ? {} : { apiKey: 'none' }) }
}

/** The server, in this process: the same requests, checks and answers as over a wire. */
async function offlineTarget(wordsPerSecond: number): Promise<ClientOptions> {
  const [{ createServer }, { offline }] = await Promise.all([import('@colloquy/server'), import('colloquy/engines')])
  const server = createServer({ engine: offline({ wordsPerSecond }) })
  return {
    apiKey: 'offline',
    baseURL: 'http://colloquy.local',
    fetch: async (url: string | URL | Request, init?: RequestInit) => server.fetch(new Request(url, init)),
  }
}
