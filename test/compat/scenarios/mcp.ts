import type { MCPCallToolResultLike, MCPToolLike } from '@anthropic-ai/sdk/helpers/beta/mcp'
import { hello, json, message } from '../fixtures.ts'
import type { Helpers, Scenario } from '../scenario.ts'

const png = { type: 'image', data: 'iVBORw0KGgo=', mimeType: 'image/png' } as const
const text = { type: 'text', text: 'Hello' } as const
const note = { uri: 'file:///notes/a.md', mimeType: 'text/markdown', text: '# Note' }
const blob = { uri: 'file:///b.txt', blob: 'aMOpbGxv' }
const pdf = { uri: 'https://example.test/c.pdf', mimeType: 'application/pdf', blob: 'JVBERi0=' }
const audio = { type: 'audio', data: 'AA==', mimeType: 'audio/wav' } as const
const unknown = { uri: 'file:///d.bin', mimeType: 'application/octet-stream', blob: 'AAEC' }

const weather: MCPToolLike = {
  name: 'weather',
  description: 'The weather in a city.',
  inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], $schema: 'x' },
}

/** Values of MCP servers, converted into the API's form. */
export const mcp: Scenario[] = [
  calls('a call of a tool', { content: [text, png, { type: 'resource', resource: note }] }),
  calls('structured content without text', { content: [], structuredContent: { degrees: 18 } }),
  calls('structured content beside text', { content: [text], structuredContent: { degrees: 18 } }),
  calls('an error of a tool', { content: [text], isError: true }),
  calls('audio from a tool', { content: [audio] }),
  {
    name: 'a tool without properties',
    replies: [json(message())],
    run: async ({ client, helpers }) => {
      const tools = helpers.mcpTools(
        [{ name: 'now', inputSchema: { type: 'object' } }],
        { callTool: async () => ({ content: [] }) },
        { cache_control: { type: 'ephemeral' } },
      )
      return (await client.beta.messages.toolRunner({ ...hello, tools, thread: false })).id
    },
    differs: [
      { name: 'mcp-schemas', at: 'requests.0.body.tools.0.input_schema.properties', official: null },
      { name: 'mcp-schemas', at: 'requests.0.body.tools.0.input_schema.required', official: null },
    ],
  },
  makes('content of every kind', ({ mcpContent }) => [
    mcpContent(text, { cache_control: { type: 'ephemeral' } }),
    mcpContent(png),
    mcpContent({ type: 'resource', resource: note }, { title: 'A' }),
    mcpContent({ type: 'resource', resource: pdf }),
    mcpContent({ type: 'resource', resource: { ...pdf, mimeType: 'image/gif' } }),
    mcpContent({ type: 'resource', resource: blob }),
  ]),
  makes('messages of a prompt', ({ mcpMessages }) =>
    mcpMessages([
      { role: 'user', content: text },
      { role: 'assistant', content: png },
    ]),
  ),
  makes('resources', ({ mcpResourceToContent }) => [
    mcpResourceToContent({ contents: [unknown, note] }, { citations: { enabled: true } }),
    mcpResourceToContent({ contents: [blob] }),
  ]),
  makes('files', ({ mcpResourceToFile }) =>
    Promise.all(
      [note, blob, pdf, { uri: 'https://example.test/', text: '' }].map(async (contents) => {
        const file = mcpResourceToFile({ contents: [contents] })
        return [file.name, file.type, await file.text()]
      }),
    ),
  ),
  refuses('audio', ({ mcpContent }) => mcpContent(audio)),
  refuses('a link', ({ mcpContent }) => mcpContent({ type: 'resource_link', uri: 'https://example.test', name: 'x' })),
  refuses('an image of another type', ({ mcpContent }) => mcpContent({ ...png, mimeType: 'image/tiff' })),
  refuses('an image that is text', ({ mcpContent }) =>
    mcpContent({ type: 'resource', resource: { ...note, mimeType: 'image/png' } }),
  ),
  refuses('a PDF that is text', ({ mcpContent }) =>
    mcpContent({ type: 'resource', resource: { ...note, mimeType: 'application/pdf' } }),
  ),
  refuses('a resource of another type', ({ mcpContent }) => mcpContent({ type: 'resource', resource: unknown })),
  refuses('a resource without items', ({ mcpResourceToContent }) => mcpResourceToContent({ contents: [] })),
  refuses('a resource without an item that fits', ({ mcpResourceToContent }) =>
    mcpResourceToContent({ contents: [unknown] }),
  ),
  refuses('a file without items', ({ mcpResourceToFile }) => mcpResourceToFile({ contents: [] })),
]

function calls(name: string, result: MCPCallToolResultLike): Scenario {
  const use = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Paris' } }
  return {
    name,
    replies: [json(message({ content: [use], stop_reason: 'tool_use' })), json(message())],
    run: async ({ client, helpers }) => {
      const seen: unknown[] = []
      const callTool = async (...call: unknown[]): Promise<MCPCallToolResultLike> => {
        seen.push(call)
        return result
      }
      const tools = [helpers.mcpTool(weather, { callTool })]
      await client.beta.messages.toolRunner({ ...hello, tools, thread: false })
      return seen
    },
    differs: [
      { name: 'mcp-signal', at: 'returned.0.1', official: undefined, ours: '(undefined)' },
      { name: 'mcp-signal', at: 'returned.0.2', official: undefined, ours: { signal: '(a AbortSignal)' } },
    ],
  }
}

function makes(name: string, run: (helpers: Helpers) => unknown): Scenario {
  return { name, run: ({ helpers }) => run(helpers) }
}

function refuses(name: string, run: (helpers: Helpers) => unknown): Scenario {
  return {
    name: `refuses ${name}`,
    run: ({ helpers }) => run(helpers),
    differs: [
      {
        name: 'own-errors',
        at: 'threw.classes',
        official: 'UnsupportedMCPValueError < Error',
        ours: 'UnsupportedMCPValueError < AnthropicError < Error',
      },
    ],
  }
}
