import { connect } from 'node:net'
import { type Ask, isLoopback, knownServers, type KnownServer, type ServerModel } from './known-servers.ts'

export interface FindServersOptions {
  /** Default: the process's environment. `OLLAMA_HOST` moves Ollama's address, if that is on this machine. */
  env?: Record<string, string | undefined>
  /** Default: the servers of known programs at their usual ports on this machine. */
  servers?: readonly KnownServer[]
  /** How long the servers may take to accept a connection. Milliseconds. Default 300. */
  timeoutMs?: number
  /**
   * How long a server that accepted one may take to list its models: a busy machine answers late. Milliseconds. Default: 1,000, and
   * 10,000 for one that the environment names.
   */
  answerMs?: number
  fetch?: typeof globalThis.fetch
}

/** A list of models that is longer than this is not read. */
const maxBytes = 4_000_000

/**
 * Finds the chat models of the servers that run on this machine: Ollama, LM Studio, llama.cpp, vLLM and others. Asks loopback
 * addresses only, all at once. A server that does not answer in time, or answers something else, is passed over. A port at
 * which nothing listens takes no time.
 *
 * @example
 * ```ts
 * import { findServers } from '@colloquy/llama'
 * import { chatCompletions } from 'colloquy/engines'
 *
 * const [found] = await findServers()
 * const engine = found && chatCompletions({ baseURL: found.baseURL, model: found.id })
 * console.log(engine ? 'A model server runs here' : 'None runs here')
 * ```
 */
export async function findServers(options: FindServersOptions = {}): Promise<ServerModel[]> {
  const { env = process.env, servers = knownServers, timeoutMs = 300, answerMs } = options
  const found = servers.map(async (server) => {
    const root = addressOf(server, env)
    if (root === undefined || !(await accepts(root, timeoutMs))) return []
    const isNamed = server.variable !== undefined && !!env[server.variable]
    return server
      .models(root, askWithin(answerMs ?? (isNamed ? 10_000 : 1_000), options.fetch ?? globalThis.fetch))
      .catch(() => [])
  })
  return (await Promise.all(found)).flat()
}

/** Returns a function that requests JSON, until the time is over. */
function askWithin(ms: number, fetch: typeof globalThis.fetch): Ask {
  const controller = new AbortController()
  const { signal } = controller
  // If this process is late itself, the answer may have arrived: it is read before the callback of setImmediate().
  setTimeout(() => setImmediate(() => controller.abort()), ms).unref()
  return async (url, body) => {
    const response = await fetch(url, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }) },
      redirect: 'error',
      signal,
    })
    if (!response.ok) throw new Error(`status ${response.status}`)
    return JSON.parse(await textOf(response))
  }
}

/** Whether something listens at an address. A firewall may leave the question unanswered. */
function accepts(root: string, timeoutMs: number): Promise<boolean> {
  const { hostname, port, protocol } = new URL(root)
  const host = hostname.replaceAll(/[[\]]/g, '')
  const socket = connect({ host, port: Number(port || (protocol === 'https:' ? 443 : 80)) })
  const { promise, resolve } = Promise.withResolvers<boolean>()
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  // As above: the answer may have arrived.
  const timer = setTimeout(() => setImmediate(resolve, false), timeoutMs)
  return promise.finally(() => {
    clearTimeout(timer)
    socket.destroy()
  })
}

async function textOf(response: Response): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    text += decoder.decode(bytes, { stream: true })
    if (text.length > maxBytes) throw new Error('too long')
  }
  return text
}

/** The address of a server. Undefined if the environment names one on another machine. */
function addressOf({ port, variable }: KnownServer, env: Record<string, string | undefined>): string | undefined {
  const own = `http://127.0.0.1:${port}`
  const given = variable === undefined ? undefined : env[variable]
  if (!given) return own
  const url = URL.parse(given.includes('://') ? given : `http://${given}`)
  if (url === null || !/^https?:$/.test(url.protocol)) return own
  // A server that listens on every address is reached on this machine too.
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1'
  if (url.port === '' && !given.includes('://')) url.port = String(port)
  return isLoopback(url.hostname) ? url.origin : undefined
}
