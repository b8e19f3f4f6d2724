import {
  SSEClientTransport,
  STDIO_DEFAULT_MAX_BUFFER_SIZE,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { byteText } from '../format.ts'
import { failureIn } from './failure-reason.ts'
import type { AddressServer, McpServer, ProgramServer } from './server-file.ts'
import type { SignedIn } from './sign-in/signed-in.ts'

/** The most characters that are kept of what a program writes to its standard error. */
const maxWords = 4_000

/** An error of the server's own, in the protocol's numbers. */
const cutCode = -32_000

/** The way to a server: a program's standard input and output, or requests to an address. */
export interface Connector {
  transport: StdioClientTransport | StreamableHTTPClientTransport | SSEClientTransport
  /** The line of the program's standard error that tells why it failed; empty without one. */
  lastWords: () => string
  /** Ends the program at once. */
  kill: () => void
}

/** @param signedIn the sign-in that requests to an address use. */
export function connectorFor(server: McpServer, signedIn: SignedIn | undefined): Connector {
  return server.kind === 'program' ? programConnector(server) : addressConnector(server, signedIn)
}

function programConnector({ command, args, env, cwd }: ProgramServer): Connector {
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
  const kill = (): void => {
    try {
      if (transport.pid !== null) process.kill(transport.pid)
    } catch {
      // It has ended already.
    }
  }
  // The client adds its own callback to this one.
  // oxlint-disable-next-line unicorn/prefer-add-event-listener
  transport.onerror = ({ message }) => {
    if (!/maximum size/.test(message)) return
    words = `it sent more than ${byteText(STDIO_DEFAULT_MAX_BUFFER_SIZE)} at once`
    kill()
  }
  return { transport, lastWords: () => failureIn(words), kill }
}

function addressConnector({ kind, url, headers }: AddressServer, signedIn: SignedIn | undefined): Connector {
  const options = { requestInit: { headers }, ...(signedIn && { authProvider: signedIn }) }
  const transport = kind === 'sse' ? new SSEClientTransport(url, options) : new CutNoticingTransport(url, options)
  return { transport, lastWords: () => '', kill: () => {} }
}

/** Fails a request whose answer breaks off, as when the server ends. Without that it would wait for the whole time of a call. */
class CutNoticingTransport extends StreamableHTTPClientTransport {
  override send(...[message, options]: Parameters<StreamableHTTPClientTransport['send']>): Promise<void> {
    const onRequestStreamEnd = (): void => {
      if (Array.isArray(message) || !('id' in message) || message.id === undefined) return
      // The client ignores it if the answer has arrived.
      this.onmessage?.({ jsonrpc: '2.0', id: message.id, error: { code: cutCode, message: 'the answer broke off' } })
    }
    return super.send(message, { ...options, onRequestStreamEnd })
  }
}

/** Variables without which a program does not reach the network in some companies. */
const network = /^(?:(?:https?|no|all)_proxy|node_extra_ca_certs|ssl_cert_(?:file|dir)|npm_config_registry)$/i

/** The variables for the network. The transport passes on PATH, HOME and the like; keys are not passed on. */
function networkVariables(): Record<string, string> {
  const found = Object.entries(process.env).filter(([name, value]) => network.test(name) && value !== undefined)
  return Object.fromEntries(found) as Record<string, string>
}
