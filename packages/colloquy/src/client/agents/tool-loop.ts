import { AnthropicError } from '../../protocol/types/error.ts'
import { sendable } from '../../protocol/sendable.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageCreateParamsNonStreaming, MessageParam, UserMessageParam } from '../../protocol/types/params.ts'
import { answerCalls, callsIn, nextStep } from '../../tools/call.ts'
import { definitionOf, isRunnable } from '../../tools/runnable.ts'
import type { HeaderParams } from '../request/request.ts'
import type { MessageStream } from '../stream/message-stream.ts'
import type { ToolRunnerState, ToolRunnerTurn } from './tool-runner-state.ts'

/** Yields the steps of a tool runner and returns the last message. */
export async function* toolLoop<Streams extends boolean>(
  state: ToolRunnerState,
): AsyncGenerator<ToolRunnerTurn<Streams>, Message> {
  let stream: MessageStream | undefined
  try {
    for (let round = 0; round < (state.params.max_iterations || Infinity); round++) {
      state.isChanged = false
      state.results = undefined
      stream = sendNext(state)
      yield (stream ?? (await state.reply)) as ToolRunnerTurn<Streams>
      if (state.isChanged) await continueChanged(state, stream)
      else if (!(await continueWith(state, await state.reply!))) break
    }
    if (!state.reply) throw new AnthropicError('Cannot give a message: max_iterations allowed no request')
    return await state.reply
  } finally {
    stream?.abort()
  }
}

/** Runs the tools that a message calls, once. Null if it calls none. */
export async function answerReply(
  state: ToolRunnerState,
  message: Message | MessageParam | undefined,
  signal: AbortSignal | null | undefined = state.options.signal,
): Promise<UserMessageParam | null> {
  if (message?.role !== 'assistant' || typeof message.content === 'string') return null
  const calls = callsIn(message as Message)
  if (!calls.length) return null
  const { approve, timeoutMs, tools = [] } = state.params
  const options = { signal, ...(approve && { approve }), ...(timeoutMs !== undefined && { timeoutMs }) }
  return (state.results ??= answerCalls(calls, tools.filter(isRunnable), options))
}

/** Parameters of the runner that are not part of a request. */
const settings = ['stream', 'max_iterations', 'approve', 'timeoutMs', 'thread'] as const

type Request = MessageCreateParamsNonStreaming & HeaderParams & { [Setting in (typeof settings)[number]]?: never }

/** Sends the next request. */
function sendNext(state: ToolRunnerState): MessageStream | undefined {
  const { tools = [] } = state.params
  const request = { ...state.params, tools: tools.length ? tools.map(definitionOf) : undefined } as Request
  for (const setting of settings) delete request[setting]
  if (!state.params.stream) {
    state.reply = Promise.resolve(state.sender.create(request, state.options))
    return undefined
  }
  const turn = state.sender.stream(request, state.options)
  state.reply = turn.finalMessage()
  state.reply.catch(() => {})
  return turn
}

/** Adds the reply and its results to the messages. Returns whether another request follows. */
async function continueWith(state: ToolRunnerState, reply: Message): Promise<boolean> {
  const step = nextStep(reply)
  const results = step.type === 'call' ? await answerReply(state, reply) : null
  const { messages } = state.params
  // The API accepts no message without content.
  const assistant: MessageParam[] = reply.content.length
    ? [{ role: 'assistant', content: sendable(reply.content) }]
    : []
  state.params = { ...state.params, messages: [...messages, ...assistant, ...(results ? [results] : [])] }
  return step.type !== 'stop'
}

/** Continues with the caller's own messages, to which the reply is not added. */
async function continueChanged(state: ToolRunnerState, stream: MessageStream | undefined): Promise<void> {
  stream?.abort()
  const { messages } = state.params
  const results = await answerReply(state, messages.at(-1))
  if (results) state.params = { ...state.params, messages: [...messages, results] }
}
