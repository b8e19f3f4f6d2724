import type { ContentBlockParam } from '../../../protocol/types/params.ts'
import type { Unlisted } from '../../../protocol/types/unlisted.ts'
import type { AnyBlock } from '../blocks.ts'

type Known = Exclude<ContentBlockParam, Unlisted>
type Members<Type> = Exclude<keyof Extract<Known, { type: Type }>, 'type' | 'cache_control'>

const call = { id: true, name: true, input: true } as const
const result = { tool_use_id: true, content: true } as const

/** The members that each block may have when it is sent. The compiler demands all of them. */
const known: { [Type in Known['type']]: Record<Members<Type>, true> } = {
  text: { text: true, citations: true },
  image: { source: true, transformations: true },
  document: { source: true, title: true, context: true, citations: true },
  search_result: { source: true, title: true, content: true, citations: true },
  container_upload: { file_id: true },
  thinking: { thinking: true, signature: true },
  redacted_thinking: { data: true },
  compaction: { content: true, encrypted_content: true, signature: true, tool_changes: true },
  fallback: { from: true, to: true, trigger: true },
  tool_addition: { tool: true },
  tool_removal: { tool: true },
  tool_use: { ...call, caller: true, toolset_name: true },
  tool_result: { ...result, is_error: true, toolset_name: true },
  server_tool_use: { ...call, caller: true },
  web_search_tool_result: { ...result, caller: true },
  web_fetch_tool_result: { ...result, caller: true },
  code_execution_tool_result: result,
  bash_code_execution_tool_result: result,
  text_editor_code_execution_tool_result: result,
  tool_search_tool_result: result,
  advisor_tool_result: result,
  mcp_tool_use: { ...call, server_name: true },
  mcp_tool_result: { ...result, is_error: true },
  mcp_tool_listing: { mcp_server_name: true, tools: true },
}

/** Whether this version of the API has blocks of this type. */
export function isKnownType({ type }: { type: string }): boolean {
  return Object.hasOwn(known, type)
}

/**
 * The members of a block that do not go out: other libraries store their own in blocks, which the API refuses. None for a type
 * that this version does not know. `cache_control` is among them, since a conversation that finds a mark places none itself.
 */
export function foreignMembers(block: AnyBlock): string[] {
  if (!isKnownType(block)) return []
  const members = known[block.type as Known['type']]
  return Object.keys(block).filter((name) => name !== 'type' && !Object.hasOwn(members, name))
}
