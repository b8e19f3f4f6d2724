import type { ToolResultContent } from '../../protocol/types/params.ts'
import type { Tool } from '../../protocol/types/tool.ts'
import { ToolError } from '../tool-error.ts'
import type { RunnableTool } from '../runnable.ts'
import { mcpContent } from './mcp-content.ts'
import type { MCPCallToolResultLike, MCPClientLike, MCPToolLike } from './mcp-values.ts'

/** Fields that are added to a tool's definition, such as `cache_control` or `defer_loading`. */
export type MCPToolFields = Partial<Omit<Tool, 'name' | 'description' | 'input_schema'>>

/** Marks the tools that `mcpTool()` made. A symbol is not sent. */
const fromMcp = Symbol('MCP tool')

/** Whether `mcpTool()` made the tool. */
export function isMcpTool(tool: object): boolean {
  return fromMcp in tool
}

/**
 * A tool of an MCP server, as its `listTools()` returns it, for a tool loop. The client sends each call to the server. An abort of
 * the loop cancels it.
 */
export function mcpTool(
  { name, description, inputSchema }: MCPToolLike,
  client: MCPClientLike,
  fields?: MCPToolFields,
): Tool & RunnableTool<Record<string, unknown>> {
  // MCP allows null for both; JSON Schema does not.
  const { properties, required, ...schema } = inputSchema
  const made: Tool & RunnableTool<Record<string, unknown>> = {
    name,
    ...(description !== undefined && { description }),
    input_schema: { ...schema, ...(properties && { properties }), ...(required && { required: [...required] }) },
    ...fields,
    run: async (input, context) => outputOf(await call(client, { name, arguments: input }, context?.signal)),
    parse: (input) => input as Record<string, unknown>,
  }
  return Object.assign(made, { [fromMcp]: true })
}

/**
 * Tools of an MCP server for a tool loop.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { mcpTools } from 'colloquy/tools'
 *
 * // In place of a client of `@modelcontextprotocol/sdk`.
 * const mcp = {
 *   listTools: async () => ({ tools: [{ name: 'clock', description: 'The time.', inputSchema: { type: 'object' as const } }] }),
 *   callTool: async () => ({ content: [{ type: 'text' as const, text: '12:00' }] }),
 * }
 * const { tools } = await mcp.listTools()
 * const runner = new Anthropic().beta.messages.toolRunner({
 *   model: 'claude-sonnet-4-6',
 *   max_tokens: 1024,
 *   messages: [{ role: 'user', content: 'Use clock to tell me the time.' }],
 *   tools: mcpTools(tools, mcp),
 * })
 * console.log((await runner).stop_reason) // end_turn
 * ```
 */
export function mcpTools(
  tools: readonly MCPToolLike[],
  client: MCPClientLike,
  fields?: MCPToolFields,
): Array<Tool & RunnableTool<Record<string, unknown>>> {
  return tools.map((tool) => mcpTool(tool, client, fields))
}

/** Calls a tool. Aborting the signal cancels the call at the server. */
function call(client: MCPClientLike, params: object, signal: AbortSignal | undefined): Promise<MCPCallToolResultLike> {
  const callTool = client.callTool.bind(client) as (...parameters: unknown[]) => Promise<MCPCallToolResultLike>
  // `@modelcontextprotocol/client` takes its options second. `@modelcontextprotocol/sdk` takes them third, after a default.
  const options = client.callTool.length === 2 ? [{ signal }] : [undefined, { signal }]
  return callTool(params, ...(signal ? options : []))
}

function outputOf({ content = [], structuredContent, isError }: MCPCallToolResultLike): string | ToolResultContent[] {
  const blocks = content.map((item) => mcpContent(item))
  // A server should repeat structured content as text, and need not.
  const output = blocks.length === 0 && structuredContent ? JSON.stringify(structuredContent) : blocks
  if (!isError) return output
  // The API refuses an error without content.
  throw new ToolError(output.length === 0 ? 'The tool failed and did not say why' : output)
}
