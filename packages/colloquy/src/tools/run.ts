import { MessageAccumulator } from '../protocol/codec/accumulate.ts'
import type { Engine, EngineContext } from '../protocol/types/engine.ts'
import { APIError, AnthropicError, type ErrorBody, apiError } from '../protocol/types/error.ts'
import { sendable } from '../protocol/sendable.ts'
import type { MessageStreamEvent, PingEvent } from '../protocol/types/event.ts'
import type { Message, ToolUseBlock, Usage } from '../protocol/types/message.ts'
import type {
  MessageCreateParams,
  MessageParam,
  ToolResultBlockParam,
  UserMessageParam,
} from '../protocol/types/params.ts'
import type { ToolUnion } from '../protocol/types/tool.ts'
import { type CallOptions, answerCall, callsIn, failedCall, nextStep } from './call.ts'
import { type RunnableTool, definitionOf, isRunnable } from './runnable.ts'
import { addUsage } from './usage.ts'

/** A request whose `tools` may be runnable. */
export type ToolRunParams = Omit<MessageCreateParams, 'tools' | 'stream'> & { tools?: Array<ToolUnion | RunnableTool> }

export interface ToolRunOptions extends Omit<CallOptions, 'signal'> {
  /** Requests in all; beyond it `ToolRoundsError` is thrown. Default 50. */
  maxRounds?: number
}

/** What happens in a tool loop, in order. Nothing further happens until the next item is asked for. */
export type ToolRunItem =
  /** An event of the round's reply, as the engine gave it. */
  | { type: 'event'; round: number; event: MessageStreamEvent | PingEvent }
  /** The round's reply is whole and none of its calls was made yet. */
  | { type: 'reply'; round: number; message: Message }
  /** A call was answered. Calls run side by side: their results come as they end. */
  | { type: 'result'; round: number; call: ToolUseBlock; result: ToolResultBlockParam }
  /** Every call of yours is answered and nothing was asked again yet. The results are in the order of the calls. */
  | { type: 'results'; round: number; message: UserMessageParam }
  | ({ type: 'done' } & ToolRun)

export interface ToolRun {
  /** The last reply. */
  message: Message
  /** The whole conversation with the replies and results, so that a user message may follow. */
  messages: MessageParam[]
  /** Calls of the last reply to tools that are declared and not runnable: the caller answers them. */
  pending: ToolUseBlock[]
  /** Of all rounds. */
  usage: Usage
  rounds: number
}

/** The model still asks for tools after `maxRounds` replies. */
export class ToolRoundsError extends APIError<undefined> {
  override name = 'ToolRoundsError'
  /** The conversation so far: the last message holds the results that were not sent. */
  readonly messages: MessageParam[]
  readonly usage: Usage

  constructor(rounds: number, { messages, usage }: Pick<ToolRun, 'messages' | 'usage'>) {
    const message = `The model still asks for tools after ${rounds} rounds`
    super(undefined, { type: 'error', error: { type: 'api_error', message } } satisfies ErrorBody, undefined, undefined)
    this.message = message
    this.messages = messages
    this.usage = usage
  }
}

/**
 * Asks an engine, answers the tool calls of its reply, and asks again, until a reply makes none.
 *
 * A paused turn is continued. A conversation that ends with unanswered calls begins with answering them. Calls of a reply
 * that was cut off are answered as not made. Whoever leaves early aborts what runs.
 */
export async function* runTools(
  engine: Engine,
  { tools = [], messages: given, ...rest }: ToolRunParams,
  { maxRounds = 50, ...callOptions }: ToolRunOptions = {},
  context: EngineContext = {},
): AsyncGenerator<ToolRunItem> {
  const controller = new AbortController()
  const unlink = link(context.signal, controller)
  const { signal } = controller
  const params = tools.length ? { ...rest, tools: tools.map(definitionOf) } : rest
  const runnable = tools.filter(isRunnable)
  const declared = new Set(tools.flatMap((tool) => (!isRunnable(tool) && 'name' in tool ? [tool.name] : [])))
  const run: Pick<ToolRun, 'messages' | 'rounds'> & { usage?: Usage; message?: Message } = {
    messages: given,
    rounds: 0,
  }
  try {
    let calls = unansweredIn(given)
    while (true) {
      const pending = calls.filter(({ name }) => declared.has(name))
      const own = calls.filter(({ name }) => !declared.has(name))
      if (own.length) {
        const message = yield* answer(own, runnable, { ...callOptions, signal }, run.rounds)
        run.messages = [...run.messages, message]
      }
      if (pending.length) return yield done(run, pending)

      run.rounds++
      const message = yield* ask(engine, { ...params, messages: run.messages }, { ...context, signal }, run.rounds)
      run.message = message
      // The API takes no message without content, though it may give one.
      if (message.content.length)
        run.messages = [...run.messages, { role: 'assistant', content: sendable(message.content) }]
      run.usage = run.usage ? addUsage(run.usage, message.usage) : message.usage
      yield { type: 'reply', round: run.rounds, message }

      const step = nextStep(message)
      if (step.type === 'stop') {
        const cut = cutCalls(message)
        if (cut) {
          run.messages = [...run.messages, cut]
          yield { type: 'results', round: run.rounds, message: cut }
        }
        return yield done(run, [])
      }
      // Before the calls: what they do to the world would be for nothing.
      if (run.rounds >= maxRounds) throw new ToolRoundsError(maxRounds, { messages: run.messages, usage: run.usage })
      calls = step.type === 'call' ? step.calls : []
    }
  } finally {
    unlink()
    controller.abort()
  }
}

/** One request: passes the events on and returns the whole reply. */
async function* ask(
  engine: Engine,
  params: MessageCreateParams,
  context: EngineContext,
  round: number,
): AsyncGenerator<ToolRunItem, Message> {
  const accumulator = new MessageAccumulator()
  for await (const event of engine(params, context)) {
    accumulator.push(event)
    yield { type: 'event', round, event }
  }
  if (!accumulator.isWhole || !accumulator.message)
    throw apiError('api_error', 'The stream ended without a whole message')
  return accumulator.message
}

/** Makes the calls side by side and yields each result as it comes; returns them in the order of the calls. */
async function* answer(
  calls: ToolUseBlock[],
  tools: RunnableTool[],
  options: CallOptions,
  round: number,
): AsyncGenerator<ToolRunItem, UserMessageParam> {
  const results = new Map<ToolUseBlock, ToolResultBlockParam>()
  const running = new Map(
    calls.map((call) => [call, answerCall(call, tools, options).then((result) => ({ call, result }))]),
  )
  while (running.size) {
    const { call, result } = await Promise.race(running.values())
    running.delete(call)
    results.set(call, result)
    yield { type: 'result', round, call, result }
  }
  const message: UserMessageParam = { role: 'user', content: calls.map((call) => results.get(call)!) }
  yield { type: 'results', round, message }
  return message
}

function done(
  run: Omit<ToolRun, 'pending' | 'message' | 'usage'> & Partial<ToolRun>,
  pending: ToolUseBlock[],
): ToolRunItem {
  const { message, usage } = run
  if (!message || !usage)
    throw new AnthropicError(
      `Cannot go on: the call of tool '${pending[0]?.name}' is unanswered and the tool has no run`,
    )
  return { type: 'done', ...run, message, usage, pending }
}

/** The calls that the conversation ends with. */
export function unansweredIn(messages: readonly MessageParam[]): ToolUseBlock[] {
  const last = messages.at(-1)
  if (last?.role !== 'assistant' || typeof last.content === 'string') return []
  return last.content.filter((block) => block.type === 'tool_use') as ToolUseBlock[]
}

/** Answers what a reply that ended early called: unanswered calls would make every later request fail. */
export function cutCalls(reply: Message): UserMessageParam | undefined {
  const content = callsIn(reply).map((call) =>
    failedCall(call, `Tool '${call.name}' was not run, as the reply stopped with ${reply.stop_reason}`),
  )
  return content.length ? { role: 'user', content } : undefined
}

/** Aborts the controller with the signal. Returns what takes the listener off again. */
function link(signal: AbortSignal | undefined, controller: AbortController): () => void {
  const abort = (): void => controller.abort(signal?.reason)
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort, { once: true })
  return () => signal?.removeEventListener('abort', abort)
}
