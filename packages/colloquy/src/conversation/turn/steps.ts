import { AnthropicError } from '../../protocol/types/error.ts'
import type { ToolUseBlock } from '../../protocol/types/message.ts'
import type { ContentBlockParam, MessageContentParam, ToolResultBlockParam } from '../../protocol/types/params.ts'
import type { ToolUnion } from '../../protocol/types/tool.ts'
import { type CallOptions, answerCall, answerCalls, failedCall, nextStep } from '../../tools/call.ts'
import { unansweredIn } from '../../tools/run.ts'
import { type RunnableTool, declaredNames, isRunnable } from '../../tools/runnable.ts'
import type { ConversationSettings } from '../settings.ts'
import type { OnConflict } from './conflict.ts'
import { type Plan, planToContinue, planToSend } from './plan.ts'
import type { Reply } from './reply.ts'
import { runTurn } from './run.ts'
import type { TurnScope } from './scope.ts'

/** How the tools of a turn are run. */
export interface TurnToolOptions extends Omit<CallOptions, 'signal'> {
  /** The most replies of a turn. A turn that needs more fails with an `AnthropicError`; its replies are kept. Default 50. */
  maxRounds?: number
}

/** How the steps of a turn are run. */
export interface StepOptions {
  settings: () => ConversationSettings
  onConflict: OnConflict
  /** Runnable tools, and tools that are only declared: calls of the latter are for the caller to answer. */
  tools: readonly (ToolUnion | RunnableTool)[]
  toolOptions: TurnToolOptions | undefined
}

/**
 * Runs a turn: its first step, and as long as the reply calls runnable tools, another one with their results. Each step is
 * recorded before the next one begins.
 */
export async function runSteps(
  scope: TurnScope,
  { settings, onConflict, tools, toolOptions: { maxRounds = 50, ...toolOptions } = {} }: StepOptions,
  first: () => Promise<Reply>,
): Promise<Reply> {
  const { state, control } = scope
  const runnable = tools.filter(isRunnable)
  let reply = await first()
  if (runnable.length === 0) return reply
  const step = (plan: () => Plan): Promise<Reply> => runTurn(scope, { plan, settings, onConflict })
  for (let round = 1; ; round++) {
    const next = nextStep(reply.message)
    if (next.type === 'stop' || (next.type === 'call' && hasPending(next.calls, tools))) return reply
    // Check before running the tools: their side effects would be wasted.
    if (round >= maxRounds) {
      throw new AnthropicError(`Cannot continue the turn: the model still calls tools after ${maxRounds} replies`)
    }
    if (next.type === 'resume') reply = await step(() => planToContinue(state.history, settings()))
    else {
      const { content } = await answerCalls(next.calls, runnable, { ...toolOptions, signal: control.signal })
      reply = await step(() => planToSend(state.history, content))
    }
  }
}

/**
 * The content, after results for the tool calls that a crash or an abort left unanswered: the API refuses everything else.
 * Tools that are declared `repeatable` run again. It is not known whether another tool did its work, so the model is told that the call was
 * interrupted.
 */
export async function withUnanswered(
  { state, control }: TurnScope,
  content: MessageContentParam,
  { tools, toolOptions }: Pick<StepOptions, 'tools' | 'toolOptions'>,
): Promise<MessageContentParam> {
  const { lastSent } = state.history
  const calls = unansweredIn(lastSent ? [lastSent] : [])
  const runnable = tools.filter(isRunnable)
  const said: readonly ContentBlockParam[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  if (calls.length === 0 || runnable.length === 0 || said.some(({ type }) => type === 'tool_result')) return content
  const answer = async (call: ToolUseBlock): Promise<ToolResultBlockParam> => {
    const tool = runnable.find(({ name }) => name === call.name)
    if (tool?.repeatable) return answerCall(call, runnable, { ...toolOptions, signal: control.signal })
    return failedCall(call, `Tool '${call.name}' was interrupted, and what it did is not known`)
  }
  return [...(await Promise.all(calls.map(answer))), ...said]
}

function hasPending(calls: readonly ToolUseBlock[], tools: StepOptions['tools']): boolean {
  const declared = declaredNames(tools)
  return calls.some(({ name }) => declared.has(name))
}
