import { AnthropicError } from '../../protocol/types/error.ts'
import type { ToolUseBlock } from '../../protocol/types/message.ts'
import type {
  ContentBlockParam,
  MessageContentParam,
  MessageParam,
  ToolResultBlockParam,
} from '../../protocol/types/params.ts'
import type { ToolUnion } from '../../protocol/types/tool.ts'
import { type CallOptions, answerCall, answerCalls, failedCall, nextStep } from '../../tools/call.ts'
import { unansweredIn } from '../../tools/run.ts'
import { type RunnableTool, declaredNames, isRunnable } from '../../tools/runnable.ts'
import type { Reply } from './turn.ts'

/** How the tools of a turn are run. */
export interface TurnToolOptions extends Omit<CallOptions, 'signal'> {
  /** Replies in all. A turn that would need more fails with an `AnthropicError`; what came is kept. Default 50. */
  maxRounds?: number
}

export interface ToolTurn extends TurnToolOptions {
  /** Those that can be run, and those that are only declared: calls of these are for the caller to answer. */
  tools: readonly (ToolUnion | RunnableTool)[]
  signal: AbortSignal
  /** Says something and has the reply: one step of the turn, kept before the next. */
  say: (content: MessageContentParam) => Promise<Reply>
  /** Sends a paused reply back. */
  resume: () => Promise<Reply>
}

/** Answers the calls of a reply and of those that follow, until one makes none. Each step is kept before the next is taken. */
export async function answerTools(
  reply: Reply,
  { tools, say, resume, maxRounds = 50, ...options }: ToolTurn,
): Promise<Reply> {
  const runnable = tools.filter(isRunnable)
  for (let round = 1; ; round++) {
    const step = nextStep(reply.message)
    if (step.type === 'stop' || (step.type === 'call' && hasPending(step.calls, tools))) return reply
    // Before the calls: what they do to the world would be for nothing.
    if (round >= maxRounds)
      throw new AnthropicError(`Cannot go on: the model still asks for tools after ${maxRounds} replies`)
    if (step.type === 'resume') reply = await resume()
    else reply = await say((await answerCalls(step.calls, runnable, options)).content)
  }
}

/**
 * What is said, behind the results of calls that a crash or an abort left unanswered: the API refuses everything else. Tools
 * that say they are `repeatable` run again. What another may have done nobody knows, so the model is told that it broke off.
 */
export async function withLeftOver(
  content: MessageContentParam,
  last: MessageParam | undefined,
  { tools, signal, ...options }: Pick<ToolTurn, 'tools' | 'signal' | 'timeoutMs' | 'approve'>,
): Promise<MessageContentParam> {
  const calls = unansweredIn(last ? [last] : [])
  const runnable = tools.filter(isRunnable)
  const said: readonly ContentBlockParam[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  if (calls.length === 0 || runnable.length === 0 || said.some(({ type }) => type === 'tool_result')) return content
  const answer = async (call: ToolUseBlock): Promise<ToolResultBlockParam> => {
    const tool = runnable.find(({ name }) => name === call.name)
    if (tool?.repeatable) return answerCall(call, runnable, { ...options, signal })
    return failedCall(call, `Tool '${call.name}' was interrupted, and what it did is not known`)
  }
  return [...(await Promise.all(calls.map(answer))), ...said]
}

function hasPending(calls: readonly ToolUseBlock[], tools: ToolTurn['tools']): boolean {
  const declared = declaredNames(tools)
  return calls.some(({ name }) => declared.has(name))
}
