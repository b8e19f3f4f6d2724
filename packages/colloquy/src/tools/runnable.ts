import type { ToolUseBlock } from '../protocol/types/message.ts'
import type { ToolResultContent } from '../protocol/types/params.ts'
import type {
  MemoryTool20250818,
  Tool,
  ToolBash20250124,
  ToolTextEditor20250124,
  ToolTextEditor20250429,
  ToolTextEditor20250728,
  ToolUnion,
} from '../protocol/types/tool.ts'

export type Promisable<Value> = Value | Promise<Value>

/**
 * What a tool gives back: text or content blocks. Anything else is sent as its JSON text; nothing at all is an empty
 * result.
 */
export type ToolOutput = string | ToolResultContent[] | object | number | boolean | null | undefined | void

/** What a tool learns of the call besides its input. */
export interface ToolContext {
  toolUse: ToolUseBlock
  /** The same, by the official client's older name. */
  toolUseBlock: ToolUseBlock
  /** Aborts when the caller aborts and when the time is over. The result of a call that goes on is not waited for. */
  signal: AbortSignal
}

/** The part of a runnable tool that stays in your program. */
export interface ToolRunner<Input = unknown> {
  // A method, so that a tool of one input stands in a list of tools of any.
  run(input: Input, context: ToolContext): Promisable<ToolOutput>
  /** Checks the input before `run`; what it throws is the error that the model reads. */
  parse?(input: unknown): Promisable<Input>
  /** The longest that a call may take. Default: the loop's limit. */
  timeoutMs?: number
  /** Whether a call that a crash interrupted may run once more. Default false: the model is told that it was interrupted. */
  repeatable?: boolean
  /** Called by nothing here; the official session runner calls it at its end. */
  close?(): Promisable<void>
}

/** The tools that your program runs: yours, and those that Anthropic defines. */
export type ToolDefinition =
  | Tool
  | ToolBash20250124
  | ToolTextEditor20250124
  | ToolTextEditor20250429
  | ToolTextEditor20250728
  | MemoryTool20250818

/** A definition that the API reads, with the function that answers its calls. */
export type RunnableTool<Input = unknown> = ToolDefinition & ToolRunner<Input>

const programFields = ['run', 'parse', 'close', 'timeoutMs', 'repeatable', 'toJSON']

/** The definition alone, as it goes to the API. */
export function definitionOf(tool: ToolUnion | RunnableTool): ToolUnion {
  return Object.fromEntries(Object.entries(tool).filter(([field]) => !programFields.includes(field))) as ToolUnion
}

/** Whether the program can answer the tool's calls. */
export function isRunnable(tool: ToolUnion | RunnableTool): tool is RunnableTool {
  return 'run' in tool && typeof tool.run === 'function'
}
