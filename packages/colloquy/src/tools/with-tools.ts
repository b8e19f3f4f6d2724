import type { Engine, EngineContext } from '../protocol/engine.ts'
import type { MessageStreamEvent, PingEvent } from '../protocol/event.ts'
import type { Message, ToolUseBlock, Usage } from '../protocol/message.ts'
import type {
  ContentBlockParam,
  MessageCountTokensParams,
  MessageCreateParams,
  MessageParam,
  ToolResultBlockParam,
} from '../protocol/params.ts'
import { unlisted } from '../protocol/unlisted.ts'
import { sendable } from './call.ts'
import { type ToolRun, type ToolRunOptions, type ToolRunParams, runTools, unansweredIn } from './run.ts'
import { type RunnableTool, definitionOf } from './runnable.ts'
import { addUsage } from './usage.ts'

/** The `server_name` of the calls that `withTools()` made. */
const serverName = 'colloquy'

/**
 * An engine that has tools: it calls them itself and streams one message, as the API does with the tools that it runs.
 *
 * A call stands in the message as an `mcp_tool_use` block and its result as an `mcp_tool_result` block: the wire's words
 * for a tool of any name that the answering side runs. The message goes back into `messages` as it is. The usage is the sum
 * of all rounds, with `iterations`. Tools that the request declares itself are left to who asked.
 */
export function withTools(engine: Engine, tools: readonly RunnableTool[], options: ToolRunOptions = {}): Engine {
  const prepared = <Params extends Pick<ToolRunParams, 'messages' | 'tools'>>(params: Params) => ({
    ...params,
    messages: params.messages.flatMap(unfold),
    tools: [...(params.tools ?? []), ...tools],
  })
  async function* engineWithTools(
    params: MessageCreateParams,
    context?: EngineContext,
  ): AsyncGenerator<MessageStreamEvent | PingEvent> {
    const declared = new Set(params.tools?.flatMap((tool) => ('name' in tool ? [tool.name] : [])))
    const request = prepared(params)
    // Answering them here would leave the results out of the message. The engine says what is wrong with the request.
    if (unansweredIn(request.messages).length) return yield* engine(params, context)
    const fold = new Fold((name) => !declared.has(name))
    for await (const item of runTools(engine, request, options, context)) {
      if (item.type === 'event') yield* fold.event(item.event)
      else if (item.type === 'reply') fold.reply(item.message)
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

/** Turns the streams of several rounds into that of one message. */
class Fold {
  readonly #isOwn: (name: string) => boolean
  /** How many blocks the message has before those of this round. */
  #offset = 0
  #blocks = 0
  #isStarted = false
  #usage: Usage | undefined

  constructor(isOwn: (name: string) => boolean) {
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
        return yield block.type === 'tool_use' && this.#isOwn(block.name)
          ? { ...event, index, content_block: unlisted({ ...block, type: 'mcp_tool_use', server_name: serverName }) }
          : { ...event, index }
      }
      case 'content_block_delta':
      case 'content_block_stop':
        return yield { ...event, index: this.#offset + event.index }
      // One message ends once: at the end of the last round.
      case 'message_delta':
      case 'message_stop':
        return
      default:
        yield event
    }
  }

  reply({ usage }: Message): void {
    this.#usage = this.#usage ? addUsage(this.#usage, usage) : usage
    this.#offset = this.#blocks
  }

  *results(results: ToolResultBlockParam[]): Generator<MessageStreamEvent> {
    for (const { content = [], is_error = false, ...result } of results) {
      const index = this.#blocks++
      const block = { ...result, type: 'mcp_tool_result', is_error, content }
      yield { type: 'content_block_start', index, content_block: unlisted(block) }
      yield { type: 'content_block_stop', index }
    }
    this.#offset = this.#blocks
    // What was used so far is known even if a later round fails.
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

interface ServedBlock {
  type: string
  [field: string]: unknown
}

/** The messages that a folded message stands for: exactly those that the rounds sent. Any other message stays as it is. */
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
    content.push(isOwn ? ({ ...fields, type: 'tool_use' } as ToolUseBlock) : block)
  }
  flush()
  return calls.size ? messages : [message]
}

function toolResult({ is_error, content, ...fields }: { [field: string]: unknown }): ToolResultBlockParam {
  const isEmpty = Array.isArray(content) && content.length === 0
  return {
    ...fields,
    type: 'tool_result',
    ...(isEmpty ? {} : { content }),
    ...(is_error ? { is_error } : {}),
  } as ToolResultBlockParam
}
