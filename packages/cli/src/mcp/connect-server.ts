import { Client, StreamableHTTPClientTransport, type Tool } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { ExitCode, ExitError } from '../exit.ts'
import { oneLine } from '../format.ts'
import { systemReason } from '../errors/system-error.ts'
import type { McpServer } from './server-file.ts'

/** A connection to a server, with the tools that it listed when the connection began. */
export interface McpConnection {
  client: Client
  tools: readonly Tool[]
}

/** The longest time until a server lists its tools. The first start of one with `npx` fetches it. Milliseconds. */
const startMs = 60_000

/** The most characters that are kept of what a program writes to its standard error. */
const maxWords = 4_000

/** Starts or reaches a server and lists its tools. Throws an `ExitError` that names it. */
export async function connectServer(server: McpServer): Promise<McpConnection> {
  const { transport, lastWords } = server.kind === 'program' ? programTransport(server) : httpTransport(server)
  const client = new Client({ name: 'colloquy', version: '1' })
  try {
    await client.connect(transport, { timeout: startMs })
    const { tools } = await client.listTools(undefined, { timeout: startMs })
    return { client, tools }
  } catch (error) {
    await client.close().catch(() => {})
    const reason = oneLine(lastWords() || systemReason(error))
    throw new ExitError(ExitCode.failed, `Cannot use the MCP server ${server.name}: ${reason}`)
  }
}

interface Transport {
  transport: StdioClientTransport | StreamableHTTPClientTransport
  /** The line of the program's standard error that tells why it failed; empty without one. */
  lastWords: () => string
}

function programTransport({ command, args, env, cwd }: Extract<McpServer, { kind: 'program' }>): Transport {
  const given = { ...networkVariables(), ...env }
  const transport = new StdioClientTransport({
    command,
    args,
    env: given,
    stderr: 'pipe',
    ...(cwd !== undefined && { cwd }),
  })
  let words = ''
  transport.stderr?.on('data', (data: Buffer) => (words = (words + data.toString()).slice(-maxWords)))
  return { transport, lastWords: () => failureIn(words) }
}

function httpTransport({ url, headers }: Extract<McpServer, { kind: 'http' }>): Transport {
  return { transport: new StreamableHTTPClientTransport(url, { requestInit: { headers } }), lastWords: () => '' }
}

/** Variables without which a program does not reach the network in some companies. */
const network = /^(?:(?:https?|no|all)_proxy|node_extra_ca_certs|ssl_cert_(?:file|dir)|npm_config_registry)$/i

/** The variables for the network. The transport passes on PATH, HOME and the like; keys are not passed on. */
function networkVariables(): Record<string, string> {
  const found = Object.entries(process.env).filter(([name, value]) => network.test(name) && value !== undefined)
  return Object.fromEntries(found) as Record<string, string>
}

/** The first line that names an error, as stacks of calls and advice follow it, or else the last line. */
function failureIn(words: string): string {
  const lines = words.split('\n').filter((line) => line.trim() !== '')
  return lines.find((line) => /(?:error|exception)\b.*:/i.test(line)) ?? lines.at(-1) ?? ''
}
