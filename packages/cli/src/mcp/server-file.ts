import { isObject, readJsonFile } from '../config/json-file.ts'
import { UsageError } from '../exit.ts'
import type { Environment } from '../flags.ts'

/** A server of the Model Context Protocol: a program of this machine, or an address. */
export type McpServer = ProgramServer | AddressServer

interface ServerEntry {
  name: string
  /** The longest time of a call. Default: that of a tool. Milliseconds. */
  timeoutMs: number | undefined
}

export interface ProgramServer extends ServerEntry {
  kind: 'program'
  command: string
  args: string[]
  env: Record<string, string>
  cwd: string | undefined
}

export interface AddressServer extends ServerEntry {
  kind: 'http' | 'sse'
  url: URL
  headers: Record<string, string>
  /** The client of a sign-in, for servers that register none by themselves. */
  oauth: OAuthClient | undefined
}

/** A client that was registered for a sign-in by OAuth. */
export interface OAuthClient {
  clientId: string | undefined
  clientSecret: string | undefined
  /** The port of this machine to which the browser returns. Default: a free one. */
  callbackPort: number | undefined
}

/**
 * The servers of a file in the form that most programs with MCP share: `{"mcpServers": {"files": {"command": "npx", "args": []}}}`.
 * Keys of other programs are ignored, `disabled` servers are left out, and `${NAME}` is a variable of the environment. Throws a
 * `UsageError` that names the file and the server.
 */
export async function readServerFile(path: string, env: Environment = process.env): Promise<McpServer[]> {
  const file = await readJsonFile(path)
  const servers = isObject(file) ? (file['mcpServers'] ?? file['servers']) : undefined
  if (!isObject(servers))
    throw new UsageError(`Cannot use ${path}: it must be an object with mcpServers, such as {"mcpServers": {}}`)
  return Object.entries(servers).flatMap(([name, value]) => {
    const reader = new EntryReader(`the MCP server ${name} of ${path}`, env)
    return isObject(value) && value['disabled'] === true ? [] : [reader.server(name, value)]
  })
}

/** Reads the entry of a server. */
class EntryReader {
  readonly #place: string
  readonly #env: Environment

  constructor(place: string, env: Environment) {
    this.#place = place
    this.#env = env
  }

  server(name: string, entry: unknown): McpServer {
    if (!isObject(entry)) throw this.#error('it must be an object')
    const timeoutMs = this.#timeout(entry['timeout'])
    if (entry['command'] !== undefined) {
      const cwd = this.#optionalText('cwd', entry['cwd'])
      const command = this.#text('command', entry['command'])
      return {
        name,
        timeoutMs,
        kind: 'program',
        command,
        args: this.#texts(entry['args']),
        env: this.#map('env', entry['env']),
        cwd,
      }
    }
    if (entry['url'] === undefined) throw this.#error('it must have a command or a url')
    const url = URL.parse(this.#text('url', entry['url']))
    if (url === null || !/^https?:$/.test(url.protocol)) throw this.#error('its url must be an http or https address')
    const kind = entry['type'] === 'sse' ? 'sse' : 'http'
    const headers = this.#map('headers', entry['headers'])
    return { name, timeoutMs, kind, url, headers, oauth: this.#oauth(entry['oauth']) }
  }

  #oauth(value: unknown): OAuthClient | undefined {
    if (value === undefined) return undefined
    if (!isObject(value)) throw this.#error('its oauth must be an object')
    const { clientId, clientSecret, callbackPort } = value
    if (callbackPort !== undefined && !isPort(callbackPort)) throw this.#error('its oauth.callbackPort must be a port')
    return {
      clientId: this.#optionalText('oauth.clientId', clientId),
      clientSecret: this.#optionalText('oauth.clientSecret', clientSecret),
      callbackPort,
    }
  }

  #timeout(value: unknown): number | undefined {
    if (value === undefined) return undefined
    if (typeof value === 'number' && value > 0 && value < 2 ** 31) return value
    throw this.#error('its timeout must be a number of milliseconds')
  }

  #texts(value: unknown): string[] {
    if (value === undefined) return []
    if (!Array.isArray(value)) throw this.#error('its args must be a list of texts')
    return value.map((each) => this.#text('args', each))
  }

  #map(field: string, value: unknown): Record<string, string> {
    if (value === undefined) return {}
    if (!isObject(value)) throw this.#error(`its ${field} must be an object of texts`)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.#text(`${field}.${key}`, each)]))
  }

  #optionalText(field: string, value: unknown): string | undefined {
    return value === undefined ? undefined : this.#text(field, value)
  }

  #text(field: string, value: unknown): string {
    if (typeof value !== 'string') throw this.#error(`its ${field} must be a text`)
    return value.replaceAll(/\$\{(\w+)(?::-([^}]*))?\}/g, (_, name: string, otherwise: string | undefined) => {
      const found = this.#env[name] || otherwise
      if (found === undefined) throw this.#error(`its ${field} names the variable ${name}, which is not set`)
      return found
    })
  }

  #error(reason: string): UsageError {
    return new UsageError(`Cannot use ${this.#place}: ${reason}`)
  }
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536
}
