// Beta: tools that are added and removed in the middle of a conversation.
import type { ToolUnion } from '../tool.ts'
import type { CacheControlEphemeral } from '../tools/options.ts'

/** Makes a tool available from this message on. A block of a system message. */
export interface ToolAdditionBlockParam {
  type: 'tool_addition'
  tool: ToolChangeReference | ToolChangeDefinition
  cache_control?: CacheControlEphemeral | null
}

/** Takes a tool away from this message on. A block of a system message. */
export interface ToolRemovalBlockParam {
  type: 'tool_removal'
  tool: ToolChangeReference
  cache_control?: CacheControlEphemeral | null
}

/** A tool that was added before a compaction. */
export interface ToolAdditionBlock {
  type: 'tool_addition'
  tool: ToolChangeReference | ToolChangeDefinition
}

/** A tool that was removed before a compaction. */
export interface ToolRemovalBlock {
  type: 'tool_removal'
  tool: ToolChangeReference
}

/** The tool of a change, by name. */
export type ToolChangeReference = ToolChangeToolReference | ToolChangeMCPToolReference | ToolChangeMCPToolsetReference

/** A tool of the request, by name. */
export interface ToolChangeToolReference {
  type: 'tool_reference'
  name: string
}

/** A tool of an MCP server, by name. */
export interface ToolChangeMCPToolReference {
  type: 'mcp_tool_reference'
  server_name: string
  name: string
}

/** All tools of an MCP server. */
export interface ToolChangeMCPToolsetReference {
  type: 'mcp_toolset_reference'
  server_name: string
}

/** The definition of a new tool. */
export interface ToolChangeDefinition {
  type: 'tool_definition'
  definition: ToolUnion
}
