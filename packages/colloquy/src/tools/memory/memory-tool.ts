import { AnthropicError } from '../../protocol/types/error.ts'
import type { ToolResultContent } from '../../protocol/types/params.ts'
import type { MemoryTool20250818 } from '../../protocol/types/tool.ts'
import type { Promisable, RunnableTool } from '../runnable.ts'

/** Reads a file, or lists a folder. */
export interface MemoryViewCommand {
  command: 'view'
  path: string
  /** The first and the last line, from 1; a last line of -1 is the end of the file. */
  view_range?: number[]
}

/** Writes a file. */
export interface MemoryCreateCommand {
  command: 'create'
  path: string
  file_text: string
}

/** Replaces a text in a file. */
export interface MemoryStrReplaceCommand {
  command: 'str_replace'
  path: string
  old_str: string
  new_str: string
}

/** Inserts a text at a line of a file. */
export interface MemoryInsertCommand {
  command: 'insert'
  path: string
  /** The line after which the text is inserted; 0 is the beginning of the file. */
  insert_line: number
  insert_text: string
}

/** Deletes a file or folder. */
export interface MemoryDeleteCommand {
  command: 'delete'
  path: string
}

/** Renames a file or folder. */
export interface MemoryRenameCommand {
  command: 'rename'
  old_path: string
  new_path: string
}

/** The input of a call of the memory tool. */
export type MemoryCommand =
  | MemoryViewCommand
  | MemoryCreateCommand
  | MemoryStrReplaceCommand
  | MemoryInsertCommand
  | MemoryDeleteCommand
  | MemoryRenameCommand

/** Carries out the commands of the memory tool. The model reads the result, or the message of the error that is thrown. */
export type MemoryHandlers = {
  [Name in MemoryCommand['command']]: (
    command: Extract<MemoryCommand, { command: Name }>,
  ) => Promisable<string | ToolResultContent[]>
}

/**
 * The memory tool that Anthropic defines, answered by `handlers`: a `memoryFolder()` of `colloquy/tools/memory`, or
 * functions of your own. `fields`, such as `cache_control`, become part of the definition.
 *
 * @example
 * ```ts
 * import { memoryTool, ToolError } from 'colloquy/tools'
 *
 * const files = new Map<string, string>()
 * const refuse = () => {
 *   throw new ToolError('The notes can be read and written only.')
 * }
 * const memory = memoryTool({
 *   view: ({ path }) => files.get(path) ?? [...files.keys()].join('\n'),
 *   create: ({ path, file_text }) => {
 *     files.set(path, file_text)
 *     return 'Saved.'
 *   },
 *   str_replace: refuse,
 *   insert: refuse,
 *   delete: refuse,
 *   rename: refuse,
 * })
 * console.log(memory.name) // memory
 * ```
 */
export function memoryTool(
  handlers: MemoryHandlers,
  fields: Omit<MemoryTool20250818, 'type' | 'name'> = {},
): MemoryTool20250818 & RunnableTool<MemoryCommand> {
  return {
    ...fields,
    type: 'memory_20250818',
    name: 'memory',
    parse: checkCommand,
    run: (command) => (handlers[command.command] as (command: MemoryCommand) => Promisable<string>)(command),
  }
}

const fieldsByCommand: Record<MemoryCommand['command'], Record<string, 'string' | 'number'>> = {
  view: { path: 'string' },
  create: { path: 'string', file_text: 'string' },
  str_replace: { path: 'string', old_str: 'string', new_str: 'string' },
  insert: { path: 'string', insert_line: 'number', insert_text: 'string' },
  delete: { path: 'string' },
  rename: { old_path: 'string', new_path: 'string' },
}

/** The input as a command. Throws an `AnthropicError` for the model when a field is missing or of another type. */
function checkCommand(input: unknown): MemoryCommand {
  const given = (typeof input === 'object' && input !== null ? input : {}) as Record<string, unknown>
  const name = given['command']
  if (typeof name !== 'string' || !Object.hasOwn(fieldsByCommand, name)) {
    const names = Object.keys(fieldsByCommand).join(', ')
    throw new AnthropicError(`command must be one of ${names}: found ${JSON.stringify(name)}`)
  }
  for (const [field, type] of Object.entries(fieldsByCommand[name as MemoryCommand['command']])) {
    if (typeof given[field] !== type) {
      throw new AnthropicError(`${name} needs a ${field} that is a ${type}: found ${JSON.stringify(given[field])}`)
    }
  }
  return given as unknown as MemoryCommand
}
