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

/** A value or a promise of it. */
export type Promisable<Value> = Value | Promise<Value>

/**
 * The result of a tool: text or content blocks. Other values are sent as JSON, and undefined or null as an empty result.
 */
export type ToolOutput = string | ToolResultContent[] | object | number | boolean | null | undefined | void

/** The information that a tool gets besides its input. */
export interface ToolContext {
  toolUse: ToolUseBlock
  /** The same block under the official client's older name. */
  toolUseBlock: ToolUseBlock
  /** Aborts when the caller aborts and when the time is over. A result after that is ignored. */
  signal: AbortSignal
}

/** The part of a runnable tool that is not sent to the API. */
export interface ToolRunner<Input = unknown> {
  // Declared as a method, so that a tool with a specific input type can be in a list of tools.
  /** Answers a call. */
  run(input: Input, context: ToolContext): Promisable<ToolOutput>
  /** Checks the input before `run`. The model reads the error that it throws. */
  parse?(input: unknown): Promisable<Input>
  /** The longest time of a call. Default: the loop's `timeoutMs`. */
  timeoutMs?: number
  /** Whether a call that a crash interrupted may run again. Default false: the model reads that it was interrupted. */
  repeatable?: boolean
  /** Not called by this library. The official session runner calls it when it ends. */
  close?(): Promisable<void>
}

/** A tool that the program runs: a custom one, or one that Anthropic defines. */
export type ToolDefinition =
  | Tool
  | ToolBash20250124
  | ToolTextEditor20250124
  | ToolTextEditor20250429
  | ToolTextEditor20250728
  | MemoryTool20250818

/** A tool definition with the function that answers its calls. */
export type RunnableTool<Input = unknown> = ToolDefinition & ToolRunner<Input>

const programFields = ['run', 'parse', 'close', 'timeoutMs', 'repeatable', 'toJSON']

/** The definition alone, as it is sent to the API. */
export function definitionOf(tool: ToolUnion | RunnableTool): ToolUnion {
  return Object.fromEntries(Object.entries(tool).filter(([field]) => !programFields.includes(field))) as ToolUnion
}

/** The names of the tools without `run`. The caller answers their calls. */
export function declaredNames(tools: ReadonlyArray<ToolUnion | RunnableTool>): Set<string> {
  return new Set(tools.flatMap((tool) => (!isRunnable(tool) && 'name' in tool ? [String(tool.name)] : [])))
}

/** Whether the tool has a `run` that answers its calls. */
export function isRunnable(tool: ToolUnion | RunnableTool): tool is RunnableTool {
  return 'run' in tool && typeof tool.run === 'function'
}
