import type { CompactionParams } from '../../protocol/types/beta/compaction.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import { sendable } from '../../protocol/sendable.ts'
import type { Message, ToolUseBlock } from '../../protocol/types/message.ts'
import type {
  MessageCreateParamsNonStreaming,
  MessageParam,
  ToolResultBlockParam,
  UserMessageParam,
} from '../../protocol/types/params.ts'
import { answerCall, callsIn, nextStep, startCalls } from '../../tools/call.ts'
import { definitionOf, isCalled } from '../../tools/runnable.ts'
import type { HeaderParams } from '../request/request.ts'
import { compactionParams } from './compaction-params.ts'
import { withContainer } from '../../tools/container.ts'
import { callsSettled, startEagerly } from './eager-calls.ts'
import type { LoopSpan, ToolSpans } from '../tracing/tool-spans.ts'
import { tracingApi } from '../tracing/trace-parts.ts'
import { addToolChanges, availableTools, checkToolChanges, keepRemovals } from './tool-changes.ts'
import type { Ending, ToolRunnerParams, ToolRunnerState, ToolRunnerTurn } from './tool-runner-state.ts'

/** Yields the steps of a tool runner. After an error, it can be called again to continue. */
export async function* runLoop<Streams extends boolean>(
  state: ToolRunnerState,
): AsyncGenerator<ToolRunnerTurn<Streams>, void> {
  checkTools(state.params.tools)
  if (state.isTaken) throw new AnthropicError('Cannot iterate over a consumed stream: a tool runner runs once')
  state.isTaken = true
  const { resolve, reject } = endingOf(state)
  state.spans ??= await toolSpans(state)
  const span = (state.loopSpan = state.spans?.startLoop(state.params, state.options.openTelemetry?.conversationId))
  try {
    resolve(yield* toolLoop<Streams>(state))
    span?.succeeded()
  } catch (error) {
    span?.failed(error)
    reject(error)
    delete state.ending
    state.isTaken = false
    state.results = undefined
    state.calls = undefined
    throw error
  } finally {
    span?.end()
    state.loopSpan = undefined
    reject(new AnthropicError('The tool runner was left before its end'))
  }
}

function checkTools(tools: unknown): void {
  if (tools === undefined || (Array.isArray(tools) && tools.every((tool) => Object(tool) === tool))) return
  throw new AnthropicError('Cannot use tools as it must be a list of objects')
}

/** The last message. Loops over the runner if its loop has not begun: a tracer may have given it another iterator. */
export async function runUntilDone(state: ToolRunnerState, runner: AsyncIterable<unknown>): Promise<Message> {
  const { promise } = endingOf(state)
  if (!state.isTaken) for await (const _ of runner);
  return promise
}

/** The end of the current loop, or of the next one. */
export function endingOf(state: ToolRunnerState): Ending {
  if (state.ending) return state.ending
  let resolve!: Ending['resolve']
  let reject!: Ending['reject']
  const promise = new Promise<Message>((...settle) => ([resolve, reject] = settle))
  // The loop throws a failure itself, so the promise need not be awaited.
  promise.catch(() => {})
  return (state.ending = { promise, resolve, reject })
}

/** Yields the steps of the loop and returns the last message. */
async function* toolLoop<Streams extends boolean>(
  state: ToolRunnerState,
): AsyncGenerator<ToolRunnerTurn<Streams>, Message> {
  try {
    state.checkTools = (changes) => checkToolChanges(state, changes)
    state.checkTools(state.toolChanges)
    // A loop that failed while its tools ran continues with them: the API accepts no call without a result.
    if (state.stopReason === 'tool_use' && endsWithCalls(state.params))
      addResults(state, await answerReply(state, state.params.messages.at(-1)))
    while ((state.iterations ?? 0) < (state.params.max_iterations || Infinity)) {
      addToolChanges(state)
      // A paused reply is resumed first: the API cannot compact in the middle of one.
      if (state.compaction && !isPaused(state)) {
        yield* compact(state)
        continue
      }
      state.iterations = (state.iterations ?? 0) + 1
      yield* step(state, state.params)
      if (await continueLoop(state)) continue
      if (state.compaction) yield* compactLast(state)
      state.compaction = undefined
      break
    }
    await callsSettled(state)
    if (!state.reply) throw new AnthropicError('Cannot give a message: max_iterations allowed no request')
    return await state.reply
  } finally {
    state.stream?.abort()
  }
}

async function toolSpans({ sender: { client } }: ToolRunnerState): Promise<ToolSpans | undefined> {
  const api = tracingApi(client.openTelemetry)
  if (!api) return undefined
  const { ToolSpans } = await import('../tracing/tool-spans.ts')
  return ToolSpans.of(client.openTelemetry || undefined, api, client.log)
}

/** Runs the tools that a message calls, for a caller outside of the loop. Null if it calls none. */
export async function answerCaller(
  state: ToolRunnerState,
  message: Message | MessageParam | undefined,
  signal: AbortSignal | null | undefined = state.options.signal,
): Promise<UserMessageParam | null> {
  state.spans ??= await toolSpans(state)
  return answerReply(state, message, { signal })
}

/** How the calls of a reply are run. */
interface Run {
  signal: AbortSignal | null | undefined
  /** The loop's span, unless the caller runs the calls itself. */
  span?: LoopSpan | undefined
}

/** Runs the tools that a message calls, once. */
async function answerReply(
  state: ToolRunnerState,
  message: Message | MessageParam | undefined,
  run: Run = ofLoop(state),
): Promise<UserMessageParam | null> {
  if (message?.role !== 'assistant' || typeof message.content === 'string') return null
  const calls = callsIn(message as Message)
  if (!calls.length) return null
  return (state.results ??= answers(state, calls, run))
}

function ofLoop({ options, loopSpan }: ToolRunnerState): Run {
  return { signal: options.signal, span: loopSpan }
}

async function answers(state: ToolRunnerState, calls: readonly ToolUseBlock[], run: Run): Promise<UserMessageParam> {
  const started = new Map(state.calls)
  const results = startCalls(calls, availableTools(state), (call) => {
    const result = started.get(call.id)
    return result === undefined || result === 'held' ? answer(state, call, run) : result
  })
  calls.forEach(({ id }, index) => state.calls?.set(id, results[index]!))
  return { role: 'user', content: await Promise.all(results) }
}

function answer(state: ToolRunnerState, call: ToolUseBlock, { signal, span }: Run): Promise<ToolResultBlockParam> {
  const { approve, timeoutMs } = state.params
  const options = { signal, ...(approve && { approve }), ...(timeoutMs !== undefined && { timeoutMs }) }
  const tools = availableTools(state)
  const tool = state.spans && tools.find((tool) => isCalled(tool, call))
  if (!tool) return answerCall(call, tools, options)
  const { conversationId } = state.options.openTelemetry ?? {}
  const traced = { tool, call, signal, conversationId, parent: span?.context }
  return state.spans!.run(traced, () => answerCall(call, tools, options))
}

/** Sends one request, and hands out its reply or the stream of it. */
async function* step<Streams extends boolean>(
  state: ToolRunnerState,
  params: ToolRunnerParams,
): AsyncGenerator<ToolRunnerTurn<Streams>, void> {
  await callsSettled(state)
  state.isChanged = false
  state.results = undefined
  state.calls = undefined
  state.arrivedCalls = []
  state.reply = undefined
  state.stream = undefined
  const request = requestOf(params)
  if (params.stream) {
    const stream = (state.stream = within(state, () => state.sender.stream(request, state.options)))
    if (params.runToolsEagerly) startEagerly(state, stream, (call) => answer(state, call, ofLoop(state)))
    state.reply = adopted(state, stream.finalMessage())
    state.reply.catch(() => {})
    yield stream as ToolRunnerTurn<Streams>
  } else {
    state.reply = adopted(
      state,
      within(state, async () => state.sender.create(request, state.options)),
    )
    yield (await state.reply) as ToolRunnerTurn<Streams>
  }
}

/** A reply, unless it is a summary. The tools of later requests run in its container. */
async function adopted(state: ToolRunnerState, arriving: Promise<Message>): Promise<Message> {
  const reply = await arriving
  if (state.compaction !== 'running') state.params = withContainer(state.params, reply)
  return reply
}

/** Sends a request inside the span of the loop. */
function within<Result>({ loopSpan }: ToolRunnerState, work: () => Result): Result {
  return loopSpan ? loopSpan.within(work) : work()
}

/** Parameters of the runner that are not part of a request. */
const settings = ['stream', 'max_iterations', 'approve', 'timeoutMs', 'thread', 'runToolsEagerly'] as const

type Request = MessageCreateParamsNonStreaming & HeaderParams & { [Setting in (typeof settings)[number]]?: never }

function requestOf(params: ToolRunnerParams): Request {
  const { tools = [] } = params
  const request = { ...params, tools: tools.length ? tools.map(definitionOf) : undefined } as Request
  for (const setting of settings) delete request[setting]
  return request
}

/** Adds the reply and its results to the messages, unless the caller has changed these. Returns whether a request follows. */
async function continueLoop(state: ToolRunnerState): Promise<boolean> {
  if (state.isChanged) {
    state.stream?.abort()
    state.stopReason = null
    addResults(state, await answerReply(state, state.params.messages.at(-1)))
    return true
  }
  const reply = await state.reply!
  const next = nextStep(reply)
  state.stopReason = reply.stop_reason
  addReply(state, reply)
  if (next.type === 'call') addResults(state, await answerReply(state, reply))
  return next.type !== 'stop'
}

function addReply(state: ToolRunnerState, reply: Message): void {
  const content = sendable(reply.content)
  // The API accepts no message without content.
  if (content.length === 0) return
  state.params = { ...state.params, messages: [...state.params.messages, { role: 'assistant', content }] }
}

/** Adds results directly after the calls, before messages that a tool has pushed meanwhile. */
function addResults(state: ToolRunnerState, results: UserMessageParam | null): void {
  if (!results) return
  const { messages } = state.params
  const index = messages.findLastIndex(({ role }) => role === 'assistant') + 1
  state.params = { ...state.params, messages: [...messages.slice(0, index), results, ...messages.slice(index)] }
}

/** Compacts after the last step, unless its calls have no results. */
async function* compactLast<Streams extends boolean>(
  state: ToolRunnerState,
): AsyncGenerator<ToolRunnerTurn<Streams>, void> {
  if (!endsWithCalls(state.params)) return yield* compact(state)
  state.sender.client.log('warn')?.(
    'The pending compaction was skipped because the last turn ended with tool calls that were not run. ' +
      'Call `compactBeforeNextTurn()` again if you continue the conversation.',
  )
}

/** Requests a summary of the messages, which then replaces them. A response without one leaves them as they are. */
async function* compact<Streams extends boolean>(
  state: ToolRunnerState,
): AsyncGenerator<ToolRunnerTurn<Streams>, void> {
  const { reply, compaction } = state
  const compacted = JSON.stringify(state.params.messages)
  state.compaction = 'running'
  state.checkMessages = ({ messages }) => {
    if (JSON.stringify(messages) !== compacted)
      throw new AnthropicError('Cannot change the messages while they are compacted')
  }
  try {
    yield* step<Streams>(state, compactionParams(state.params, compaction as CompactionParams))
    const summary = await state.reply!
    if (summary.content.some((block) => block.type === 'compaction' && block.content)) {
      keepRemovals(state)
      state.params = { ...state.params, messages: [] }
      addReply(state, summary)
      state.sender.replace?.(requestOf(state.params))
    } else {
      state.sender.client.log('warn')?.('Compaction produced no summary; keeping the conversation as it is.')
      state.reply = reply
    }
  } finally {
    state.compaction = undefined
    state.checkMessages = undefined
  }
}

function isPaused({ stopReason }: ToolRunnerState): boolean {
  return stopReason === 'pause_turn' || stopReason === 'compaction'
}

/** Whether the last message has tool calls without results: the API cannot compact such messages. */
function endsWithCalls({ messages }: ToolRunnerParams): boolean {
  const content = messages.at(-1)?.content
  return Array.isArray(content) && content.some(({ type }) => type === 'tool_use')
}
