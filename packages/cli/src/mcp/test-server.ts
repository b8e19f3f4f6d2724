// A server of the Model Context Protocol on standard input and output, for tests.
import { McpServer } from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

const server = new McpServer({ name: 'numbers', version: '1.0.0' })

function text(value: string): { content: { type: 'text'; text: string }[] } {
  return { content: [{ type: 'text', text: value }] }
}

const numbers = z.object({ a: z.number(), b: z.number() })
server.registerTool('add', { description: 'Adds two numbers.', inputSchema: numbers }, ({ a, b }) => text(`${a + b}`))
const named = z.object({ name: z.string() })
server.registerTool('variable', { description: 'A variable of the environment.', inputSchema: named }, ({ name }) =>
  text(process.env[name] ?? 'not set'),
)
server.registerTool('fail', { description: 'Fails.' }, () => ({ ...text('no network'), isError: true }))
server.registerTool('long', { description: 'A long text.' }, () => text('x'.repeat(250_000)))
server.registerTool('wait.for', { description: 'Never ends.' }, () => new Promise(() => {}))
await server.connect(new StdioServerTransport())
