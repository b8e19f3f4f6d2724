// Beta: the API calls the tools of MCP servers.
import type { TextBlock, TextBlockParam } from '../content/text.ts'
import type { CacheControlEphemeral } from '../tools/options.ts'

/** An MCP server whose tools the API calls. */
export interface MCPServer {
  type: 'url'
  url: string
  name: string
  authorization_token?: string | null
  tool_configuration?: MCPServerToolConfiguration | null
}

/** The tools of an MCP server that the model may call. Default: all of them. */
export interface MCPServerToolConfiguration {
  enabled?: boolean | null
  allowed_tools?: string[] | null
}

/** The tools of an MCP server as a tool definition. */
export interface MCPToolset {
  type: 'mcp_toolset'
  mcp_server_name: string
  default_config?: MCPToolConfig
  /** Settings by the name of a tool. */
  configs?: { [tool: string]: MCPToolConfig } | null
  tools?: MCPToolParam[] | null
  cache_control?: CacheControlEphemeral | null
}

/** Settings of a tool of an MCP server. */
export interface MCPToolConfig {
  enabled?: boolean
  /** The model does not see the tool until a tool search finds it. */
  defer_loading?: boolean
}

/** A tool that an MCP server offers. */
export interface MCPTool {
  name: string
  description?: string
  input_schema: { [key: string]: unknown }
}

/** A tool that an MCP server offers, in a request. */
export interface MCPToolParam {
  name: string
  description?: string | null
  input_schema: { [key: string]: unknown }
}

/** The tools that an MCP server listed. Send it back unchanged. */
export interface MCPToolListingBlock {
  type: 'mcp_tool_listing'
  mcp_server_name: string
  tools: MCPTool[]
}

/** The tools that an MCP server listed in an earlier reply. */
export interface MCPToolListingBlockParam {
  type: 'mcp_tool_listing'
  mcp_server_name: string
  tools: MCPToolParam[]
}

/** A call of a tool of an MCP server. Its result is in the same reply. */
export interface MCPToolUseBlock {
  type: 'mcp_tool_use'
  id: string
  name: string
  server_name: string
  input: unknown
}

/** A call of a tool of an MCP server in an earlier reply. */
export interface MCPToolUseBlockParam extends MCPToolUseBlock {
  cache_control?: CacheControlEphemeral | null
}

/** The result of a tool of an MCP server. */
export interface MCPToolResultBlock {
  type: 'mcp_tool_result'
  tool_use_id: string
  content: string | TextBlock[]
  is_error: boolean
}

/** The result of a tool of an MCP server in an earlier reply. */
export interface MCPToolResultBlockParam {
  type: 'mcp_tool_result'
  tool_use_id: string
  content?: string | TextBlockParam[]
  is_error?: boolean
  cache_control?: CacheControlEphemeral | null
}
