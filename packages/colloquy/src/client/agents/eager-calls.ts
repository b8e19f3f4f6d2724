import type { ToolUseBlock } from '../../protocol/types/message.ts'
import type { ToolResultBlockParam } from '../../protocol/types/params.ts'
import type { MessageStream } from '../stream/message-stream.ts'
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
  let due: ToolUseBlock[] = []
  stream.on('delivered', (event, message, afterReaders) => {
    if (event.type === 'content_block_stop') {
      const block = message.content[event.index]
      if (block?.type !== 'tool_use') return
      arrived.push(block)
      due.push(block)
    } else if (
      event.type === 'content_block_start' ||
      (event.type === 'message_delta' && event.delta.stop_reason === 'tool_use')
    ) {
      const started = due
      due = []
      if (started.length > 0) afterReaders(() => start(started, calls, run))
    }
  })
}

function start(
  due: readonly ToolUseBlock[],
  calls: EagerCalls,
  run: (call: ToolUseBlock) => Promise<ToolResultBlockParam>,
): void {
  for (const call of due) {
    if (calls.has(call.id)) continue
    const result = run(call)
    // A rejection is thrown where the results are collected.
    result.catch(() => {})
    calls.set(call.id, result)
  }
}

/** Waits for the calls that have started, whether their results are sent or not. */
export async function callsSettled({ calls }: ToolRunnerState): Promise<void> {
  await Promise.allSettled([...(calls?.values() ?? [])].filter((call) => call !== 'held'))
}
