import { isLoopback, knownServers, type KnownServer, type ServerModel } from './known-servers.ts'

export interface FindServersOptions {
  /** Default: the process's environment. `OLLAMA_HOST` moves Ollama's address, if that is on this machine. */
  env?: Record<string, string | undefined>
  /** Default: the servers of known programs at their usual ports on this machine. */
  servers?: readonly KnownServer[]
  /** How long all servers together may take. Milliseconds. Default 300. */
  timeoutMs?: number
  fetch?: typeof globalThis.fetch
}

/** A list of models that is longer than this is not read. */
const maxBytes = 4_000_000

/**
 * Finds the chat models of the servers that run on this machine: Ollama, LM Studio, llama.cpp, vLLM and others. Asks loopback
 * addresses only, all at once. A server that does not answer in time, or answers something else, is passed over.
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
  const { env = process.env, servers = knownServers, timeoutMs = 300, fetch = globalThis.fetch } = options
  const signal = AbortSignal.timeout(timeoutMs)
  async function ask(url: string, body?: object): Promise<unknown> {
    const response = await fetch(url, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }) },
      redirect: 'error',
      signal,
    })
    if (!response.ok) throw new Error(`status ${response.status}`)
    return JSON.parse(await textOf(response))
  }
  const found = servers.map(async (server) => {
    const root = addressOf(server, env)
    return root === undefined ? [] : server.models(root, ask).catch(() => [])
  })
  return (await Promise.all(found)).flat()
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
