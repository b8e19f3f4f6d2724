import type { MessageParam, SystemMessageParam } from '../../protocol/types/params.ts'
import { unlisted } from '../../protocol/types/unlisted.ts'
import {
  type Runnable,
  type RunnableTool,
  definitionOf,
  isRunnable,
  isToolset,
  toolsetNameOf,
} from '../../tools/runnable.ts'
import { ToolsetContractError } from '../../tools/toolsets/errors.ts'
import type { ToolChange, ToolRunnerState } from './tool-runner-state.ts'

/** A `tool_addition` or `tool_removal` block, an entry of a compaction's `tool_changes`, or a block that contains some. */
interface ChangeBlock {
  type?: unknown
  tool?: { type?: unknown; name?: unknown; definition?: { name?: unknown } }
  tool_changes?: readonly ChangeBlock[]
  content?: readonly ChangeBlock[]
}

/** Adds the changes of the tools that the model was not told yet to the messages. */
export function addToolChanges(state: ToolRunnerState): void {
  // A paused reply must stay the last message, so the changes wait.
  if (state.stopReason === 'pause_turn') return
  const { toolChanges, sentToolChanges = 0 } = state
  if (sentToolChanges === toolChanges.length) return
  state.sentToolChanges = toolChanges.length
  const message = messageOf(toolChanges.slice(sentToolChanges))
  state.params = { ...state.params, messages: [...state.params.messages, message] }
}

/** Throws if a change adds, replaces or removes a toolset: the runner runs those of its parameters. */
export function checkToolChanges({ params }: ToolRunnerState, changes: readonly ToolChange[]): void {
  const toolsets = (params.tools ?? []).filter(isToolset).map(toolsetNameOf)
  for (const change of changes) {
    const name = typeof change === 'string' ? change : toolsetNameOf(change)
    if (toolsets.includes(name) || (typeof change !== 'string' && isToolset(change)))
      throw new ToolsetContractError(
        `Cannot change the ${name} toolset of a tool runner: set it in params.tools with setMessagesParams()`,
      )
  }
}

/** The tools that the model may call and the runner runs: those of the parameters, with all changes so far. */
export function availableTools(state: ToolRunnerState): Runnable[] {
  return [...availableNamed(state), ...(state.params.tools ?? []).filter(isToolset)]
}

function availableNamed(state: ToolRunnerState): RunnableTool[] {
  const tools = runnableTools(state)
  const names = new Set(tools.keys())
  const told = [...state.params.messages, messageOf(state.toolChanges.slice(state.sentToolChanges))]
  for (const change of told.flatMap(changesIn)) applyChange(change, names)
  return [...tools].filter(([name]) => names.has(name)).map(([, tool]) => tool)
}

/** Keeps the removals that the messages tell of, when a summary replaces these messages. */
export function keepRemovals(state: ToolRunnerState): void {
  const available = new Set(availableNamed(state).map(({ name }) => name))
  const removed = [...runnableTools(state).keys()].filter((name) => !available.has(name))
  const { sentToolChanges = 0 } = state
  state.toolChanges.splice(sentToolChanges, 0, ...removed)
  state.sentToolChanges = sentToolChanges + removed.length
}

/** The runnable tools by name. A tool that was added replaces one of that name, and one without `run` takes its place. */
function runnableTools({ params, toolChanges }: ToolRunnerState): Map<string, RunnableTool> {
  const tools = new Map((params.tools ?? []).filter(isNamed).map((tool) => [tool.name, tool]))
  for (const change of toolChanges) {
    if (typeof change === 'string') tools.delete(change)
    else if (isNamed(change)) tools.set(change.name, change)
    else if ('name' in change) tools.delete(change.name as string)
  }
  return tools
}

function isNamed(tool: Parameters<typeof isRunnable>[0]): tool is RunnableTool {
  return isRunnable(tool) && !isToolset(tool)
}

function messageOf(changes: readonly ToolChange[]): SystemMessageParam {
  const content = changes.map((change) =>
    unlisted(
      typeof change === 'string'
        ? { type: 'tool_removal', tool: { type: 'tool_reference', name: change } }
        : { type: 'tool_addition', tool: { type: 'tool_definition', definition: definitionOf(change) } },
    ),
  )
  return { role: 'system', content }
}

/** The changes that a message tells the model of. A summary stands for those of the messages that it replaced. */
function changesIn({ role, content }: MessageParam): readonly ChangeBlock[] {
  if (typeof content === 'string') return []
  const blocks = content as readonly ChangeBlock[]
  if (role === 'system')
    return blocks.flatMap((block) => (block.type === 'mid_conv_system' ? (block.content ?? []) : block))
  if (role !== 'assistant') return []
  return blocks.flatMap(({ type, tool_changes }) => (type === 'compaction' ? (tool_changes ?? []) : []))
}

function applyChange({ type, tool }: ChangeBlock, names: Set<string>): void {
  const name = tool?.type === 'tool_definition' ? tool.definition?.name : tool?.type === 'tool_reference' && tool.name
  if (typeof name !== 'string') return
  if (type === 'tool_removal') names.delete(name)
  else if (type === 'tool_addition') names.add(name)
}
