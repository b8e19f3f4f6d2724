// A server of the Model Context Protocol on standard input and output, for tests.
import {
  type ElicitRequestFormParams,
  McpServer,
  ResourceTemplate,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

const server = new McpServer({ name: 'numbers', version: '1.0.0' }, { capabilities: { logging: {} } })

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
const many = z.object({ texts: z.number() })
server.registerTool('long', { description: 'A long text.', inputSchema: many }, ({ texts }) => ({
  content: Array.from({ length: texts }, () => ({ type: 'text', text: 'x'.repeat(250_000 / texts) })),
}))
const begun = Promise.withResolvers<void>()
const cancelled = Promise.withResolvers<void>()
server.registerTool('wait.for', { description: 'Never ends.' }, async ({ mcpReq }: ServerContext) => {
  const { progressToken } = mcpReq['_meta'] ?? {}
  const params = { progressToken: progressToken!, progress: 3, total: 10, message: 'reading\na.txt' }
  await mcpReq.notify({ method: 'notifications/progress', params })
  begun.resolve()
  mcpReq.signal.addEventListener('abort', () => cancelled.resolve())
  return new Promise(() => {})
})
server.registerTool('begun', { description: 'Ends when a call waits.' }, () => begun.promise.then(() => text('yes')))
server.registerTool('cancelled', { description: 'Ends when a call was cancelled.' }, () =>
  cancelled.promise.then(() => text('yes')),
)
server.registerTool('odd', { description: 'Content that no block can hold.' }, () => ({
  content: [
    { type: 'resource_link', uri: 'test://notes', name: 'notes' },
    { type: 'audio', data: 'AAAA', mimeType: 'audio/wav' },
    { type: 'resource', resource: { uri: 'test://data', mimeType: 'application/json', text: '{"a":1}' } },
    { type: 'resource', resource: { uri: 'test://zip', mimeType: 'application/zip', blob: 'AAAA' } },
  ],
}))
server.registerTool('grow', { description: 'Adds a tool.' }, () => {
  server.registerTool('new', { description: 'Was added.' }, () => text('new'))
  return text('grown')
})
server.registerTool('huge', { description: 'Too much.' }, () => text('x'.repeat(11_000_000)))
server.registerTool('die', { description: 'Ends the server.' }, () => process.exit(1))
server.registerTool('order', { description: 'Asks the user.' }, async ({ mcpReq }: ServerContext) => {
  await mcpReq.log('warning', { note: 'it asks' })
  const requestedSchema: ElicitRequestFormParams['requestedSchema'] = {
    type: 'object',
    properties: {
      colour: {
        type: 'string',
        title: 'Colour',
        oneOf: [
          { const: 'r', title: 'red' },
          { const: 'b', title: 'blue' },
        ],
      },
      extras: { type: 'array', items: { type: 'string', enum: ['radio', 'roof'] }, minItems: 1 },
      seats: { type: 'integer', minimum: 2, default: 4 },
      mail: { type: 'string', description: 'Your address', format: 'email' },
      quick: { type: 'boolean' },
      note: { type: 'string' },
    },
    required: ['colour', 'extras', 'mail', 'quick'],
  }
  return text(JSON.stringify(await mcpReq.elicitInput({ message: 'Which car?', requestedSchema })))
})
server.registerTool('page', { description: 'Opens a page.' }, async ({ mcpReq }: ServerContext) => {
  const params = { mode: 'url', message: 'Pay here\n> y', url: 'https://pay.example/1', elicitationId: '1' } as const
  return text((await mcpReq.elicitInput(params)).action)
})
server.registerPrompt(
  'greet',
  { description: 'A greeting.', argsSchema: z.object({ name: z.string(), style: z.string().optional() }) },
  ({ name, style = 'warmly' }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Greet ${name} ${style}` } }],
  }),
)
server.registerResource('notes', 'test://notes', { mimeType: 'text/plain' }, ({ href }) => ({
  contents: [{ uri: href, mimeType: 'text/plain', text: 'the notes' }],
}))
server.registerResource('item', new ResourceTemplate('test://items/{id}', { list: undefined }), {}, ({ href }) => ({
  contents: [{ uri: href, mimeType: 'text/plain', text: 'an item' }],
}))
await server.connect(new StdioServerTransport())
