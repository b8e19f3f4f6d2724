// The parts of MCP's values and of its client that are read here. The official MCP client satisfies them, and so do others.

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

export interface MCPClientLike {
  callTool(params: { name: string; arguments?: Record<string, unknown> }): Promise<MCPCallToolResultLike>
}

export interface MCPCallToolResultLike {
  content?: MCPContentLike[] | undefined
  structuredContent?: object | undefined
  isError?: boolean | undefined
}

export interface MCPPromptMessageLike {
  role: 'user' | 'assistant'
  content: MCPContentLike
}

export interface MCPReadResourceResultLike {
  contents: MCPResourceContentsLike[]
}

export type MCPContentLike =
  | MCPTextContentLike
  | MCPImageContentLike
  | MCPAudioContentLike
  | MCPEmbeddedResourceLike
  | MCPResourceLinkLike

export interface MCPTextContentLike {
  type: 'text'
  text: string
}

export interface MCPImageContentLike {
  type: 'image'
  /** Base64. */
  data: string
  mimeType: string
}

export interface MCPAudioContentLike {
  type: 'audio'
  /** Base64. */
  data: string
  mimeType: string
}

export interface MCPEmbeddedResourceLike {
  type: 'resource'
  resource: MCPResourceContentsLike
}

export interface MCPResourceLinkLike {
  type: 'resource_link'
  uri: string
  name: string
  mimeType?: string | undefined
}

export type MCPResourceContentsLike = MCPTextResourceContentsLike | MCPBlobResourceContentsLike

export interface MCPTextResourceContentsLike {
  uri: string
  mimeType?: string | undefined
  text: string
}

export interface MCPBlobResourceContentsLike {
  uri: string
  mimeType?: string | undefined
  /** Base64. */
  blob: string
}
