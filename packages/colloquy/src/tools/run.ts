import { MessageAccumulator } from '../protocol/codec/accumulate.ts'
import type { Engine, EngineContext } from '../protocol/types/engine.ts'
import { APIError, AnthropicError, type ErrorBody } from '../protocol/types/error.ts'
import { apiError } from '../protocol/types/error-response.ts'
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
import { type CallOptions, answerCall, callsIn, failedCall, nextStep, startCalls } from './call.ts'
import { withContainer } from './container.ts'
import { type Runnable, definitionOf, isDeclared, isRunnable } from './runnable.ts'
import { addUsage } from './usage.ts'

/** A request with tools that may be runnable. */
export type ToolRunParams = Omit<MessageCreateParams, 'tools' | 'stream'> & { tools?: Array<ToolUnion | Runnable> }

/** Options of `runTools()`. */
export interface ToolRunOptions extends Omit<CallOptions, 'signal'> {
  /** The most requests; then `ToolRoundsError` is thrown. Default 50. */
  maxRounds?: number
}

/** A step of a tool loop. The loop does nothing more until the next item is requested. */
export type ToolRunItem =
  /** An event of the round's reply, as the engine sent it. */
  | { type: 'event'; round: number; event: MessageStreamEvent | PingEvent }
  /** The round's reply is complete, and none of its calls has run. */
  | { type: 'reply'; round: number; message: Message }
  /** A call has ended. Calls run concurrently, and their results arrive in the order in which they end. */
  | { type: 'result'; round: number; call: ToolUseBlock; result: ToolResultBlockParam }
  /** All calls to runnable tools have ended, and no further request was sent. The results are in the order of the calls. */
  | { type: 'results'; round: number; message: UserMessageParam }
  | ({ type: 'done' } & ToolRun)

/** The result of a tool loop. */
export interface ToolRun {
  /** The last reply. */
  message: Message
  /** The history with all replies and results. A user message can follow. */
  messages: MessageParam[]
  /** The calls of the last reply to tools without `run`, which the caller answers. */
  pending: ToolUseBlock[]
  /** The usage of all rounds. */
  usage: Usage
  rounds: number
}

/** The model still calls tools after `maxRounds` replies. */
export class ToolRoundsError extends APIError<undefined> {
  override name = 'ToolRoundsError'
  /** The history so far. It ends with the reply whose calls were not run. */
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
 * Sends a request to an engine, answers the tool calls of the reply, and repeats this until a reply has no calls.
 *
 * A paused turn is continued. If the history ends with unanswered calls, these are answered first. Calls of a reply that was
 * cut off are answered as not run. A caller that stops early aborts the engine and the tools.
 *
 * @example
 * ```ts
 * import { offline } from 'colloquy/engines'
 * import { runTools, tool } from 'colloquy/tools'
 *
 * const clock = tool({ name: 'clock', description: 'The time.', inputSchema: { type: 'object' }, run: () => '12:00' })
 * const messages = [{ role: 'user' as const, content: 'Use clock to tell me the time.' }]
 * const request = { model: 'claude-sonnet-4-6', max_tokens: 1024, tools: [clock], messages }
 * for await (const item of runTools(offline(), request)) {
 *   if (item.type === 'result') console.log(item.call.name, item.result.content) // clock 12:00
 * }
 * ```
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
  let params = tools.length ? { ...rest, tools: tools.map(definitionOf) } : rest
  const runnable = tools.filter(isRunnable)
  const run: Pick<ToolRun, 'messages' | 'rounds'> & { usage?: Usage; message?: Message } = {
    messages: given,
    rounds: 0,
  }
  try {
    let calls = unansweredIn(given)
    while (true) {
      const pending = calls.filter((call) => isDeclared(call, tools))
      const own = calls.filter((call) => !isDeclared(call, tools))
      if (own.length) {
        const message = yield* answer(own, runnable, { ...callOptions, signal }, run.rounds)
        run.messages = [...run.messages, message]
      }
      if (pending.length) return yield done(run, pending)

      run.rounds++
      const message = yield* request(engine, { ...params, messages: run.messages }, { ...context, signal }, run.rounds)
      run.message = message
      params = withContainer(params, message)
      const content = sendable(message.content)
      // The API may return a message without content, but does not accept one.
      if (content.length) run.messages = [...run.messages, { role: 'assistant', content }]
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
      // Check before running the tools: their side effects would be wasted.
      if (run.rounds >= maxRounds) throw new ToolRoundsError(maxRounds, { messages: run.messages, usage: run.usage })
      calls = step.type === 'call' ? step.calls : []
    }
  } finally {
    unlink()
    controller.abort()
  }
}

/** Sends one request. Yields its events and returns the reply. */
async function* request(
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

/** Runs the calls concurrently. Yields each result as it arrives and returns all in the order of the calls. */
async function* answer(
  calls: ToolUseBlock[],
  tools: Runnable[],
  options: CallOptions,
  round: number,
): AsyncGenerator<ToolRunItem, UserMessageParam> {
  const results = new Map<ToolUseBlock, ToolResultBlockParam>()
  const started = startCalls(calls, tools, (call) => answerCall(call, tools, options))
  const running = new Map(calls.map((call, index) => [call, started[index]!.then((result) => ({ call, result }))]))
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
      `Cannot continue: the call of tool '${pending[0]?.name}' is unanswered and the tool has no run`,
    )
  return { type: 'done', ...run, message, usage, pending }
}

/**
 * The tool calls of the last message, if it is the assistant's: they wait for their results.
 *
 * @example
 * ```ts
 * import { unansweredIn } from 'colloquy/tools'
 *
 * const call = { type: 'tool_use' as const, id: 'toolu_1', name: 'clock', input: {} }
 * console.log(unansweredIn([{ role: 'assistant', content: [call] }]).length) // 1
 * ```
 */
export function unansweredIn(messages: readonly MessageParam[]): ToolUseBlock[] {
  const last = messages.at(-1)
  if (last?.role !== 'assistant' || typeof last.content === 'string') return []
  return last.content.filter((block) => block.type === 'tool_use') as ToolUseBlock[]
}

/** Answers the calls of a reply that ended early, because the API refuses a history with unanswered calls. */
export function cutCalls(reply: Message): UserMessageParam | undefined {
  const content = callsIn(reply).map((call) =>
    failedCall(call, `Tool '${call.name}' was not run, as the reply stopped with ${reply.stop_reason}`),
  )
  return content.length ? { role: 'user', content } : undefined
}

/** Aborts the controller when the signal aborts. Returns a function that removes the listener. */
function link(signal: AbortSignal | undefined, controller: AbortController): () => void {
  const abort = (): void => controller.abort(signal?.reason)
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort, { once: true })
  return () => signal?.removeEventListener('abort', abort)
}
