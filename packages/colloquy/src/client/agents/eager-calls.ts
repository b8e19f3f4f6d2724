import { blockAt } from '../../protocol/codec/event-values.ts'
import type { ToolUseBlock } from '../../protocol/types/message.ts'
import type { ToolResultBlockParam } from '../../protocol/types/params.ts'
import { calledToolset } from '../../tools/call.ts'
import type { MessageStream } from '../stream/message-stream.ts'
import { availableTools } from './tool-changes.ts'
import type { EagerCalls, ToolRunnerState } from './tool-runner-state.ts'

/**
 * Starts each tool call of a reply while it streams, once the model has gone past it: at the start of the next block, or when
 * the reply stops to have its tools called. The readers of the stream have handled that event by then, so that they can hold
 * the call.
 */
export function startEagerly(
  state: ToolRunnerState,
  stream: MessageStream,
  run: (call: ToolUseBlock) => Promise<ToolResultBlockParam>,
): void {
  const calls: EagerCalls = new Map()
  const arrived: ToolUseBlock[] = []
  state.calls = calls
  state.arrivedCalls = arrived
  const toolsets: BusyToolsets = new Map()
  const toolsetOf = (call: ToolUseBlock): string | undefined => calledToolset(call, availableTools(state))
  let due: ToolUseBlock[] = []
  stream.on('delivered', (event, message, afterReaders) => {
    if (event.type === 'content_block_stop') {
      const block = blockAt(message, event.index)
      if (block?.type !== 'tool_use') return
      arrived.push(block)
      due.push(block)
    } else if (
      event.type === 'content_block_start' ||
      (event.type === 'message_delta' && event.delta.stop_reason === 'tool_use')
    ) {
      const started = due
      due = []
      if (started.length > 0)
        afterReaders(() => {
          for (const call of started) start(call, { calls, toolsets, toolset: toolsetOf(call), run })
        })
    }
  })
}

/** The toolsets that run a call, and those whose later calls wait for the end of the reply. */
type BusyToolsets = Map<string, 'running' | 'waiting'>

interface Start {
  calls: EagerCalls
  toolsets: BusyToolsets
  /** The toolset that is called. Its calls run in order, so one starts early only if all earlier ones have succeeded. */
  toolset: string | undefined
  run: (call: ToolUseBlock) => Promise<ToolResultBlockParam>
}

function start(call: ToolUseBlock, { calls, toolsets, toolset, run }: Start): void {
  const isKnown = calls.has(call.id)
  const mustWait = isKnown || !call.toolset_name || (toolset !== undefined && toolsets.has(toolset))
  if (toolset !== undefined && mustWait) {
    toolsets.set(toolset, 'waiting')
    return
  }
  if (isKnown) return
  const result = run(call)
  calls.set(call.id, result)
  if (toolset === undefined) {
    // A rejection is thrown where the results are collected.
    result.catch(() => {})
    return
  }
  toolsets.set(toolset, 'running')
  result.then(
    ({ is_error }) => {
      if (!is_error && toolsets.get(toolset) === 'running') toolsets.delete(toolset)
      else toolsets.set(toolset, 'waiting')
    },
    () => toolsets.set(toolset, 'waiting'),
  )
}

/** Waits for the calls that have started, whether their results are sent or not. */
export async function callsSettled({ calls }: ToolRunnerState): Promise<void> {
  await Promise.allSettled([...(calls?.values() ?? [])].filter((call) => call !== 'held'))
}
