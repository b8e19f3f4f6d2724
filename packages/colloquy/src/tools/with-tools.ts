import type { Engine, EngineContext } from '../protocol/types/engine.ts'
import type { MessageStreamEvent, PingEvent } from '../protocol/types/event.ts'
import type { Message, ToolUseBlock, Usage } from '../protocol/types/message.ts'
import type {
  ContentBlockParam,
  MessageCountTokensParams,
  MessageCreateParams,
  MessageParam,
  ToolResultBlockParam,
} from '../protocol/types/params.ts'
import { checkOptionNames } from '../protocol/json/option-names.ts'
import { parseJson } from '../protocol/codec/parse-json.ts'
import { JsonReader } from '../protocol/codec/partial-json.ts'
import { sendable } from '../protocol/sendable.ts'
import { unlisted } from '../protocol/types/unlisted.ts'
import { type ToolRun, type ToolRunOptions, type ToolRunParams, runTools, unansweredIn } from './run.ts'
import { type Runnable, definitionOf, isDeclared } from './runnable.ts'
import { addUsage } from './usage.ts'

/** The `server_name` of calls that `withTools()` answers. */
const serverName = 'colloquy'

const optionNames = ['maxRounds', 'timeoutMs', 'approve'] satisfies (keyof ToolRunOptions)[]

/**
 * An engine with tools: it runs them itself and streams one message, as the API does with server tools.
 *
 * In the message, a call is an `mcp_tool_use` block and its result an `mcp_tool_result` block, the API's blocks for a tool of
 * any name that the server runs. The message can be sent back in `messages` unchanged. Its usage is the sum of all rounds,
 * with `iterations`. Calls to tools that the request declares are left to the caller.
 *
 * @example
 * ```ts
 * import { offline } from 'colloquy/engines'
 * import { accumulate } from 'colloquy/protocol'
 * import { tool, withTools } from 'colloquy/tools'
 *
 * const clock = tool({ name: 'clock', description: 'The time.', inputSchema: { type: 'object' }, run: () => '12:00' })
 * const engine = withTools(offline(), [clock])
 * const messages = [{ role: 'user' as const, content: 'Use clock to tell me the time.' }]
 * const { content } = await accumulate(engine({ model: 'claude-sonnet-4-6', max_tokens: 1024, messages }))
 * console.log(content.map(({ type }) => type).join(' ')) // text mcp_tool_use mcp_tool_result text
 * ```
 */
export function withTools(engine: Engine, tools: readonly Runnable[], options: ToolRunOptions = {}): Engine {
  checkOptionNames(options, optionNames, 'withTools()')
  const prepared = <Params extends Pick<ToolRunParams, 'messages' | 'tools'>>(params: Params) => ({
    ...params,
    messages: params.messages.flatMap(unfold),
    tools: [...(params.tools ?? []), ...tools],
  })
  async function* engineWithTools(
    params: MessageCreateParams,
    context?: EngineContext,
  ): AsyncGenerator<MessageStreamEvent | PingEvent> {
    const declared = params.tools ?? []
    const request = prepared(params)
    // Results of these calls would not be part of the message. Leave the request to the engine, which refuses it.
    if (unansweredIn(request.messages).length) return yield* engine(params, context)
    const fold = new Fold((call) => !isDeclared(call, declared))
    for await (const item of runTools(engine, request, options, context)) {
      if (item.type === 'event') yield* fold.event(item.event)
      else if (item.type === 'reply') yield* fold.reply(item.message)
      else if (item.type === 'results') yield* fold.results(item.message.content as ToolResultBlockParam[])
      else if (item.type === 'done') yield* fold.done(item)
    }
  }
  if (!engine.countTokens) return engineWithTools
  return Object.assign(engineWithTools, {
    countTokens: (params: MessageCountTokensParams, context?: EngineContext) => {
      const { messages, tools } = prepared(params)
      return engine.countTokens!({ ...params, messages, tools: tools.map(definitionOf) }, context)
    },
  })
}

/** Combines the streams of several rounds into one message. */
class Fold {
  readonly #isOwn: (call: ToolUseBlock) => boolean
  /** The number of blocks before those of this round. */
  #offset = 0
  #blocks = 0
  #isStarted = false
  #usage: Usage | undefined
  /** The call whose input is streaming. */
  #call: { block: ToolUseBlock; text: string } | undefined

  constructor(isOwn: (call: ToolUseBlock) => boolean) {
    this.#isOwn = isOwn
  }

  *event(event: MessageStreamEvent | PingEvent): Generator<MessageStreamEvent | PingEvent> {
    switch (event.type) {
      case 'message_start':
        if (!this.#isStarted) yield event
        this.#isStarted = true
        return
      case 'content_block_start': {
        const index = this.#offset + event.index
        this.#blocks = Math.max(this.#blocks, index + 1)
        const block = event.content_block
        if (block.type !== 'tool_use' || !this.#isOwn(block)) return yield { ...event, index }
        this.#call = { block, text: '' }
        return
      }
      case 'content_block_delta':
        if (!this.#call) return yield { ...event, index: this.#offset + event.index }
        if (event.delta.type === 'input_json_delta') this.#call.text += event.delta.partial_json
        return yield { type: 'ping' }
      case 'content_block_stop':
        if (!this.#call) return yield { ...event, index: this.#offset + event.index }
        return yield* this.#endCall()
      // The message ends once, after the last round.
      case 'message_delta':
      case 'message_stop':
        return
      default:
        yield event
    }
  }

  *reply({ usage }: Message): Generator<MessageStreamEvent> {
    // The reply was cut off within a call.
    if (this.#call) yield* this.#endCall()
    this.#usage = this.#usage ? addUsage(this.#usage, usage) : usage
    this.#offset = this.#blocks
  }

  /**
   * Sends the call in one event. Clients that do not know `mcp_tool_use` ignore the pieces of its input, and would send an
   * empty input back.
   */
  *#endCall(): Generator<MessageStreamEvent> {
    const { block, text } = this.#call!
    this.#call = undefined
    const call = { ...block, type: 'mcp_tool_use', server_name: serverName, input: inputOf(text) ?? block.input }
    yield* whole(this.#blocks - 1, call)
  }

  *results(results: ToolResultBlockParam[]): Generator<MessageStreamEvent> {
    for (const { content = [], is_error = false, ...result } of results) {
      yield* whole(this.#blocks++, { ...result, type: 'mcp_tool_result', is_error, content })
    }
    this.#offset = this.#blocks
    // Report the usage so far, in case a later round fails.
    if (this.#usage)
      yield { type: 'message_delta', delta: { stop_reason: null, stop_sequence: null }, usage: this.#usage }
  }

  *done({ message, usage }: ToolRun): Generator<MessageStreamEvent> {
    const { stop_reason, stop_sequence, stop_details, container } = message
    const delta = {
      stop_reason,
      stop_sequence,
      ...(stop_details === undefined ? {} : { stop_details }),
      ...(container === undefined ? {} : { container }),
    }
    yield { type: 'message_delta', delta, usage }
    yield { type: 'message_stop' }
  }
}

function* whole(index: number, block: ServedBlock): Generator<MessageStreamEvent> {
  yield { type: 'content_block_start', index, content_block: unlisted(block) }
  yield { type: 'content_block_stop', index }
}

/** The parsed input, or the readable part of a text that is cut or malformed. */
function inputOf(text: string): unknown {
  if (text === '') return undefined
  try {
    return parseJson(text)
  } catch {
    return new JsonReader().push(text)
  }
}

interface ServedBlock {
  type: string
  [field: string]: unknown
}

/** Splits a folded message into the messages that the rounds sent. Returns other messages unchanged. */
function unfold(message: MessageParam): MessageParam[] {
  if (message.role !== 'assistant' || typeof message.content === 'string') return [message]
  const calls = new Set<unknown>()
  const messages: MessageParam[] = []
  let content: ContentBlockParam[] = []
  let results: ContentBlockParam[] = []
  const flush = (): void => {
    if (content.length) messages.push({ role: 'assistant', content: sendable(content) })
    if (results.length) messages.push({ role: 'user', content: results })
    content = []
    results = []
  }
  for (const block of message.content) {
    const { type, server_name, ...fields } = block as ServedBlock
    if (type === 'mcp_tool_result' && calls.has(fields.tool_use_id)) {
      results.push(toolResult(fields))
      continue
    }
    if (results.length) flush()
    const isOwn = type === 'mcp_tool_use' && server_name === serverName
    if (isOwn) calls.add(fields.id)
    content.push(isOwn ? ({ type: 'tool_use', ...fields } as unknown as ToolUseBlock) : block)
  }
  flush()
  return calls.size ? messages : [message]
}

function toolResult({ is_error, content, ...fields }: { [field: string]: unknown }): ToolResultBlockParam {
  const isEmpty = Array.isArray(content) && content.length === 0
  return {
    type: 'tool_result',
    ...fields,
    ...(isEmpty ? {} : { content }),
    ...(is_error ? { is_error } : {}),
  } as ToolResultBlockParam
}
