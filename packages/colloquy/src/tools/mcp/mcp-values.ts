// The parts of MCP's values and of its client that are read here. The official MCP client satisfies them, and so do others.

/** A tool of an MCP server. */
export interface MCPToolLike {
  name: string
  description?: string | undefined
  inputSchema: {
    type: 'object'
    properties?: Record<string, unknown> | null | undefined
    required?: readonly string[] | null | undefined
    [keyword: string]: unknown
  }
}

/** An MCP client, of which only tool calls are used. */
export interface MCPClientLike {
  /** Runs a tool of the server. */
  callTool(params: { name: string; arguments?: Record<string, unknown> }): Promise<MCPCallToolResultLike>
}

/** The result of an MCP tool call. */
export interface MCPCallToolResultLike {
  content?: MCPContentLike[] | undefined
  structuredContent?: unknown
  isError?: boolean | undefined
}

/** A message of an MCP prompt. */
export interface MCPPromptMessageLike {
  role: 'user' | 'assistant'
  content: MCPContentLike
}

/** The result of reading an MCP resource. */
export interface MCPReadResourceResultLike {
  contents: MCPResourceContentsLike[]
}

/** A piece of content of an MCP server. */
export type MCPContentLike =
  | MCPTextContentLike
  | MCPImageContentLike
  | MCPAudioContentLike
  | MCPEmbeddedResourceLike
  | MCPResourceLinkLike

/** Text of an MCP server. */
export interface MCPTextContentLike {
  type: 'text'
  text: string
}

/** An image of an MCP server. */
export interface MCPImageContentLike {
  type: 'image'
  /** Base64. */
  data: string
  mimeType: string
}

/** A sound of an MCP server. */
export interface MCPAudioContentLike {
  type: 'audio'
  /** Base64. */
  data: string
  mimeType: string
}

/** A resource within an MCP result. */
export interface MCPEmbeddedResourceLike {
  type: 'resource'
  resource: MCPResourceContentsLike
}

/** A link to an MCP resource. */
export interface MCPResourceLinkLike {
  type: 'resource_link'
  uri: string
  name: string
  mimeType?: string | undefined
}

/** The content of an MCP resource: text or bytes. */
export type MCPResourceContentsLike = MCPTextResourceContentsLike | MCPBlobResourceContentsLike

/** The text of an MCP resource. */
export interface MCPTextResourceContentsLike {
  uri: string
  mimeType?: string | undefined
  text: string
}

/** The bytes of an MCP resource. */
export interface MCPBlobResourceContentsLike {
  uri: string
  mimeType?: string | undefined
  /** Base64. */
  blob: string
}
