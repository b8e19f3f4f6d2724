import type { ToolUseBlock } from '../protocol/types/message.ts'
import type { ToolResultContent } from '../protocol/types/params.ts'
import type { BrowserToolset20260801, ComputerToolset20260801 } from '../protocol/types/tools/toolset.ts'
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

/** The part of a runnable toolset that is not sent to the API. */
export interface ToolsetRunner extends Pick<ToolRunner, 'timeoutMs' | 'repeatable'> {
  /** Answers a call of a member. Throws a `ToolError` with the content that the model reads. */
  run(context: ToolContext, call: ToolUseBlock): Promisable<ToolResultContent[]>
  /** Releases what the toolset holds. Not called by a tool loop. */
  close?(): Promisable<void>
  /** A toolset has none: its calls name the member and the toolset. */
  name?: undefined
}

/** The definition of a toolset, with the function that answers the calls of its members. */
export type RunnableToolset = (BrowserToolset20260801 | ComputerToolset20260801) & ToolsetRunner

/** A tool or toolset that the program runs. */
export type Runnable = RunnableTool | RunnableToolset

const programFields = ['run', 'parse', 'close', 'timeoutMs', 'repeatable', 'toJSON']

/**
 * The definition alone, as it is sent to the API.
 *
 * @example
 * ```ts
 * import { definitionOf, tool } from 'colloquy/tools'
 *
 * const clock = tool({ name: 'clock', description: 'The time.', inputSchema: { type: 'object' }, run: () => '12:00' })
 * console.log(Object.keys(definitionOf(clock)).join(' ')) // type name description input_schema
 * ```
 */
export function definitionOf(tool: ToolUnion | Runnable): ToolUnion {
  const { toJSON } = tool as { toJSON?: () => object }
  return withoutProgramFields(typeof toJSON === 'function' ? toJSON.call(tool) : tool)
}

/** The fields of a tool that the API gets. */
export function withoutProgramFields(tool: object): ToolUnion {
  return Object.fromEntries(Object.entries(tool).filter(([field]) => !programFields.includes(field))) as ToolUnion
}

/** Whether the call is one of a tool without `run`, which the caller answers. */
export function isDeclared(call: CalledTool, tools: ReadonlyArray<ToolUnion | Runnable>): boolean {
  return tools.some((tool) => !isRunnable(tool) && isCalled(tool, call))
}

/** Whether the tool has a `run` that answers its calls. */
export function isRunnable(tool: ToolUnion | Runnable): tool is Runnable {
  return 'run' in tool && typeof tool.run === 'function'
}

/** Whether the tool is a toolset that the program runs. */
export function isToolset(tool: ToolUnion | Runnable): tool is RunnableToolset {
  return isRunnable(tool) && isToolsetType(tool.type)
}

/** The fields of a call that say which tool it calls. */
type CalledTool = Pick<ToolUseBlock, 'name' | 'toolset_name'>

/** Whether a call is for this tool. A tool may have the same name as the member of a toolset. */
export function isCalled(tool: ToolUnion | Runnable, { name, toolset_name }: CalledTool): boolean {
  const isOfToolset = isToolsetType(tool.type)
  if (toolset_name) return isOfToolset && toolsetNameOf(tool) === toolset_name
  return !isOfToolset && 'name' in tool && tool.name === name
}

/** The name of a toolset in its calls: its type without the date, such as `browser`. */
export function toolsetNameOf({ type }: { type?: unknown }): string {
  return String(type)
    .replace(/_\d{8}$/, '')
    .replace(/_toolset$/, '')
}

function isToolsetType(type: unknown): boolean {
  return type === 'browser_toolset_20260801' || type === 'computer_toolset_20260801'
}
