// Loaded with the first tool runner that OpenTelemetry traces.
import type { ToolUseBlock } from '../../protocol/types/message.ts'
import type { ToolResultBlockParam } from '../../protocol/types/params.ts'
import { isMcpTool } from '../../tools/mcp/mcp-tool.ts'
import { isToolset, type Runnable } from '../../tools/runnable.ts'
import type { Log } from '../request/log.ts'
import { version } from '../request/request.ts'
import { fieldAt } from './attributes.ts'
import { toolContentAttributes } from './content.ts'
import { activeContext, within, withSpan } from './context.ts'
import type { Attribute, Context, OpenTelemetryOptions, RegisteredApi, Span, Tracer } from './open-telemetry.ts'
import { type Settings, settingsOf } from './settings.ts'
import { attempted, conversation, setFailed, setSucceeded } from './status.ts'

/** The parts of a tool call that its span shows. */
export interface TracedCall {
  tool: Runnable
  call: ToolUseBlock
  signal: AbortSignal | null | undefined
  conversationId: string | undefined
  /** The context of the tool runner's loop. Default: that of the caller. */
  parent: Context | undefined
}

/** The spans of a client's tool runners: one for each loop, and one for each tool that runs. */
export class ToolSpans {
  readonly #tracer: Tracer
  readonly #settings: Settings
  readonly #api: RegisteredApi
  readonly #log: Log

  /** Undefined if the client makes no spans. */
  static of(option: OpenTelemetryOptions | undefined, api: RegisteredApi, log: Log): ToolSpans | undefined {
    const settings = settingsOf(option)
    if (!settings.enabled) return undefined
    const tracer = attempted(log, () => (option?.tracerProvider ?? api.trace)?.getTracer('colloquy', version))
    return tracer && new ToolSpans(tracer, settings, api, log)
  }

  private constructor(tracer: Tracer, settings: Settings, api: RegisteredApi, log: Log) {
    this.#tracer = tracer
    this.#settings = settings
    this.#api = api
    this.#log = log
  }

  /** Starts the span of a tool runner's loop. */
  startLoop(params: object, conversationId: string | undefined): LoopSpan | undefined {
    const format = fieldAt(params, ['output_config', 'format', 'type']) ?? fieldAt(params, ['output_format', 'type'])
    const span = this.#start('anthropic.messages.tool_runner', activeContext(this.#api), {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.request.model': String(fieldAt(params, ['model'])),
      ...(format === 'json_schema' && { 'gen_ai.output.type': 'json' }),
      ...conversation(conversationId),
    })
    return span && new LoopSpan(span, this.#api, this.#log)
  }

  /** Answers a call inside a span. */
  async run(traced: TracedCall, answer: () => Promise<ToolResultBlockParam>): Promise<ToolResultBlockParam> {
    const { tool, call, conversationId, parent = activeContext(this.#api) } = traced
    const description = 'description' in tool ? tool.description : undefined
    const kind = isMcpTool(tool) ? 'mcp_tool_use' : 'custom_tool_use'
    const span = this.#start(`anthropic.${kind} ${call.name}`, parent, {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': call.name,
      ...(isToolset(tool) && { 'anthropic.toolset.name': call.toolset_name! }),
      ...(description && { 'gen_ai.tool.description': description }),
      'gen_ai.tool.call.id': call.id,
      'gen_ai.tool.type': 'function',
      ...conversation(conversationId),
    })
    if (!span) return answer()
    let result: ToolResultBlockParam | undefined
    try {
      result = await within(this.#api, withSpan(parent, span), answer)
      return result
    } finally {
      this.#end(span, traced, result)
    }
  }

  #end(span: Span, { call, signal }: TracedCall, result: ToolResultBlockParam | undefined): void {
    const isDone = result !== undefined && !result.is_error
    const isCancelled = !isDone && signal?.aborted === true
    attempted(this.#log, () => {
      const { contentMode, maxContentBytes } = this.#settings
      if (contentMode !== 'content' || !span.isRecording()) return
      const told = isCancelled ? undefined : result
      const attributes = Object.entries(toolContentAttributes(call.input, told, maxContentBytes))
      for (const [name, value] of attributes) span.setAttribute(name, value)
    })
    attempted(this.#log, () => {
      if (isDone) setSucceeded(span)
      else if (!isCancelled) setFailed(span, result, 'tool_error')
      span.end()
    })
  }

  #start(name: string, parent: Context, attributes: Record<string, Attribute>): Span | undefined {
    // `SpanKind.INTERNAL`
    const options = { kind: 0, attributes: { 'gen_ai.provider.name': 'anthropic', ...attributes } }
    return attempted(this.#log, () => this.#tracer.startSpan(name, options, parent))
  }
}

/** The span of a tool runner's loop. */
export class LoopSpan {
  /** The context in which the loop sends requests and runs tools. */
  readonly context: Context
  readonly #span: Span
  readonly #api: RegisteredApi
  readonly #log: Log

  constructor(span: Span, api: RegisteredApi, log: Log) {
    this.#span = span
    this.#api = api
    this.#log = log
    this.context = withSpan(activeContext(api), span)
  }

  /** Runs a part of the loop inside the span: after each step, the loop continues in the context of its reader. */
  within<Result>(work: () => Result): Result {
    return within(this.#api, this.context, work)
  }

  succeeded(): void {
    attempted(this.#log, () => setSucceeded(this.#span))
  }

  failed(error: unknown): void {
    attempted(this.#log, () => setFailed(this.#span, error))
  }

  /** Ends the span. Without an outcome, as the reader has left the loop, it has no status. */
  end(): void {
    attempted(this.#log, () => this.#span.end())
  }
}
