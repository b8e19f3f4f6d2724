import { AnthropicError } from '../../protocol/types/error.ts'
import type { Message, ToolUseBlock } from '../../protocol/types/message.ts'
import type { MessageContentParam, ToolResultBlockParam } from '../../protocol/types/params.ts'
import type { ToolUnion } from '../../protocol/types/tool.ts'
import { type CallOptions, answerCall, failedCall, type NextStep, nextStep, startCalls } from '../../tools/call.ts'
import { unansweredIn } from '../../tools/run.ts'
import { type Runnable, isCalled, isDeclared, isRunnable } from '../../tools/runnable.ts'
import type { History } from '../history/history.ts'
import { mediaFault } from '../history/content.ts'
import type { ConversationSettings } from '../settings.ts'
import type { OnConflict } from './conflict.ts'
import type { EarlierCalls } from './earlier-turn.ts'
import { type Plan, planToContinue, planToSend } from './plan.ts'
import { type Reply, replyOfTurn, type ReplyStep } from './reply.ts'
import { runStep } from './run.ts'
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
  tools: readonly (ToolUnion | Runnable)[]
  toolOptions: TurnToolOptions | undefined
  /** Whether the turn continues after a reply by itself. */
  continuesAfter: (reply: Message) => boolean
  /** The calls of an earlier attempt of the turn. */
  earlierCalls?: EarlierCalls | undefined
}

/** The step that follows a reply in a turn with these tools. */
export function stepAfter(reply: Message, tools: StepOptions['tools']): NextStep {
  const next = nextStep(reply)
  // Without tools that run here, the calls are for the caller, who also asked for the pause after a compaction.
  if (reply.stop_reason !== 'pause_turn' && !tools.some(isRunnable)) return { type: 'stop' }
  return next.type === 'call' && hasPending(next.calls, tools) ? { type: 'stop' } : next
}

function hasPending(calls: readonly ToolUseBlock[], tools: StepOptions['tools']): boolean {
  return calls.some((call) => isDeclared(call, tools))
}

/**
 * Runs the rest of a turn: as long as its last reply calls runnable tools, another step with their results; after a reply
 * that paused, a step that continues it. Each step is recorded before the next one begins.
 *
 * @param steps the steps so far, one at least.
 */
export function runSteps(scope: TurnScope, options: StepOptions, steps: readonly ReplyStep[]): Reply | Promise<Reply> {
  const isOver = stepAfter(steps.at(-1)!.message, options.tools).type === 'stop'
  return isOver ? replyOfTurn(steps) : runFurther(scope, options, steps)
}

async function runFurther(scope: TurnScope, options: StepOptions, steps: readonly ReplyStep[]): Promise<Reply> {
  const done = [...steps]
  const { state, control } = scope
  const { settings, tools, toolOptions: { maxRounds = 50 } = {} } = options
  for (;;) {
    const reply = done.at(-1)!
    const next = stepAfter(reply.message, tools)
    if (next.type === 'stop') return replyOfTurn(done)
    // Check before running the tools: their side effects would be wasted.
    if (done.length >= maxRounds) {
      throw new AnthropicError(`Cannot continue the turn: the model has not ended it after ${maxRounds} replies`)
    }
    const results = next.type === 'call' ? await resultsOf(next.calls, options, control.signal) : undefined
    const plan = async (): Promise<Plan> => {
      // Results belong right after their calls, also if another writer continued the conversation.
      const history = await state.historyTo(Number(reply.messageId))
      return results === undefined ? planToContinue(history, settings()) : planToSend(history, results)
    }
    done.push(await runStep(scope, { ...options, plan }))
  }
}

function resultsOf(
  calls: readonly ToolUseBlock[],
  { tools, toolOptions, earlierCalls }: StepOptions,
  signal: AbortSignal,
): Promise<ToolResultBlockParam[]> {
  const runnable = tools.filter(isRunnable)
  const answer = async (call: ToolUseBlock): Promise<ToolResultBlockParam> => {
    const earlier = isRepeatable(call, runnable) ? undefined : earlierCalls?.take(call)
    return earlier ?? readableAnswer(call, runnable, { ...toolOptions, signal })
  }
  return Promise.all(startCalls(calls, runnable, answer))
}

/** Answers a call. In place of an image or a document that the API cannot read, the model reads what it is. */
async function readableAnswer(
  call: ToolUseBlock,
  tools: readonly Runnable[],
  options: CallOptions,
): Promise<ToolResultBlockParam> {
  const result = await answerCall(call, tools, options)
  if (!Array.isArray(result.content)) return result
  const content = result.content.map((part) => {
    const fault = mediaFault(part)
    return fault === undefined ? part : ({ type: 'text', text: `Error: the tool returned ${fault}` } as const)
  })
  return { ...result, content }
}

function isRepeatable(call: ToolUseBlock, tools: readonly Runnable[]): boolean {
  return tools.find((tool) => isCalled(tool, call))?.repeatable ?? false
}

/**
 * Answers the tool calls that a crash or an abort left unanswered: the API refuses everything else. Calls of `repeatable`
 * tools run again. It is not known what other tools did, so the model reads that their calls were interrupted.
 */
export class OpenCalls {
  readonly #scope: TurnScope
  readonly #options: StepOptions
  #results: Map<string, Promise<ToolResultBlockParam>> | undefined

  constructor(scope: TurnScope, options: StepOptions) {
    this.#scope = scope
    this.#options = options
  }

  /** The results for the calls at the end of a history. Empty if there are none, or if they are for the caller to answer. */
  async resultsFor(history: History): Promise<ToolResultBlockParam[]> {
    return Promise.all(openCallsOf(history, this.#options.tools).map((call) => this.#answer(call)))
  }

  /** Plans to send content, after the results that it needs. */
  planToSend(history: History, content: MessageContentParam): Plan | Promise<Plan> {
    if (history.waitingCalls.length === 0) return planToSend(history, content)
    return this.#answersBefore(content, history).then((answers) => planToSend(history, answers))
  }

  async #answersBefore(content: MessageContentParam, history: History): Promise<MessageContentParam> {
    return hasResults(content) ? content : resultsBefore(content, await this.resultsFor(history))
  }

  /** Runs no call twice, however often it is asked for. */
  #answer(call: ToolUseBlock): Promise<ToolResultBlockParam> {
    const { tools, toolOptions } = this.#options
    const runnable = tools.filter(isRunnable)
    const results = (this.#results ??= new Map())
    let result = results.get(call.id)
    if (result === undefined) {
      const { signal } = this.#scope.control
      result = isRepeatable(call, runnable)
        ? readableAnswer(call, runnable, { ...toolOptions, signal })
        : Promise.resolve(interruptedCall(call))
      results.set(call.id, result)
    }
    return result
  }
}

/** The calls at the end of a history that were interrupted. If no tool is runnable, the caller answers its own. */
function openCallsOf(history: History, tools: StepOptions['tools']): readonly ToolUseBlock[] {
  if (history.waitingCalls.length === 0) return []
  const { lastSent, lastReply } = history
  const isOurs = tools.some(isRunnable) || lastReply?.about.continues === true
  return lastSent === undefined || !isOurs ? [] : unansweredIn([lastSent])
}

function hasResults(content: MessageContentParam): boolean {
  return Array.isArray(content) && content.some((block) => block?.type === 'tool_result')
}

function resultsBefore(content: MessageContentParam, results: readonly ToolResultBlockParam[]): MessageContentParam {
  if (results.length === 0) return content
  return [...results, ...(typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content)]
}

/** The content of the next message, with the results that interrupted calls get before it if their tools do not run again. */
export function contentAfter(
  history: History,
  content: MessageContentParam | undefined,
): MessageContentParam | undefined {
  const answered = content !== undefined && hasResults(content)
  const results = answered ? [] : openCallsOf(history, []).map(interruptedCall)
  return content === undefined && results.length === 0 ? undefined : resultsBefore(content ?? [], results)
}

/** The result of a call whose turn was interrupted. */
export function interruptedCall(call: ToolUseBlock): ToolResultBlockParam {
  return failedCall(call, `Tool '${call.name}' was interrupted, and what it did is not known`)
}
