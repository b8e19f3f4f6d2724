import { UsageError } from '../exit.ts'
import { withHome } from '../file-paths.ts'
import type { Flags } from '../flags.ts'
import { countText } from '../format.ts'
import { writeErrorLine } from '../terminal/output.ts'
import type { ChatTools, OpenToolsOptions } from './chat-tools.ts'

/** The tools of the file that `--mcp` names. Undefined without one. Servers that are not ready when the signal aborts are left out. */
export async function chatTools(flags: Flags, options: OpenToolsOptions = {}): Promise<ChatTools | undefined> {
  const path = flags.text('mcp')
  const allowed = flags.texts('allow-tool')
  if (path !== undefined) return (await import('./chat-tools.ts')).ChatTools.open(withHome(path), allowed, options)
  if (allowed.length > 0) throw new UsageError('Cannot use --allow-tool without --mcp: the chat has no tools')
  return undefined
}

/**
 * The tools as of `chatTools()`. Says that the servers start if that takes longer than two seconds, and which tools are left out.
 */
export async function announcedTools(flags: Flags, signal?: AbortSignal): Promise<ChatTools | undefined> {
  const timer = setTimeout(() => writeErrorLine('Starting the MCP servers …'), 2_000)
  const tools = await chatTools(flags, { signal }).finally(() => clearTimeout(timer))
  for (const line of tools?.leftOut ?? []) writeErrorLine(line)
  return tools
}

/** The lines about its tools that a chat begins with. */
export function toolNotes({ names, failures, leftOut }: ChatTools): string[] {
  const found = names.length === 0 ? [] : [`${countText(names.length, 'tool')} · /tools lists them`]
  return [...[...failures, ...leftOut].map((failure) => `✗ ${failure}`), ...found]
}
