import { APIUserAbortError, AnthropicError } from '../protocol/types/error.ts'
import type { Message, ToolUseBlock } from '../protocol/types/message.ts'
import type { ToolResultBlockParam, ToolResultContent, UserMessageParam } from '../protocol/types/params.ts'
import { partialInput } from '../protocol/codec/partial-input.ts'
import { isToolInput } from '../protocol/sendable.ts'
import type { Promisable, RunnableTool } from './runnable.ts'
import { startTimer } from './timer.ts'

/** Thrown by a tool's `run` to answer with content blocks, or with text that gets no `Error:` before it. */
export class ToolError extends AnthropicError {
  override name = 'ToolError'
  readonly content: string | ToolResultContent[]

  constructor(content: string | ToolResultContent[], options?: ErrorOptions) {
    super(typeof content === 'string' ? content : 'The tool failed; what it answered is in `content`', options)
    this.content = content
  }
}

export interface CallOptions {
  signal?: AbortSignal | null | undefined
  /** The longest that a call may take, its approval aside, where the tool itself sets no limit. Default 600,000. */
  timeoutMs?: number
  /**
   * Asked before each call whose input is valid. `false`, or a text that says why, declines it, and the model reads so.
   * What it throws ends the loop.
   */
  approve?: (
    call: ToolUseBlock,
    context: { tool: RunnableTool; signal: AbortSignal | undefined },
  ) => Promisable<boolean | string>
}

export type NextStep = { type: 'call'; calls: ToolUseBlock[] } | { type: 'resume' } | { type: 'stop' }

/**
 * What the protocol has a loop do after a reply: answer the calls in one user message, send the reply back as it is, or
 * end. A stop reason that this version does not know ends it.
 */
export function nextStep(reply: Message): NextStep {
  if (reply.stop_reason === 'pause_turn' || reply.stop_reason === 'compaction') return { type: 'resume' }
  const calls = reply.stop_reason === 'tool_use' ? callsIn(reply) : []
  return calls.length ? { type: 'call', calls } : { type: 'stop' }
}

/** The calls that a reply makes, in its order. */
export function callsIn(reply: Pick<Message, 'content'>): ToolUseBlock[] {
  return reply.content.filter((block) => block.type === 'tool_use')
}

/** Answers calls side by side. The message holds the results in the order of the calls, as the API wants them. */
export async function answerCalls(
  calls: readonly ToolUseBlock[],
  tools: readonly RunnableTool[],
  options: CallOptions = {},
): Promise<UserMessageParam> {
  return { role: 'user', content: await Promise.all(calls.map((call) => answerCall(call, tools, options))) }
}

/**
 * Answers one call. Whatever goes wrong is the result that the model reads, with `is_error`: an unknown tool, an input that
 * is broken or fails the schema, a declined approval, a tool that throws or takes too long. Rejects only when `signal`
 * aborts, with `APIUserAbortError`, and with what `approve` throws.
 */
export async function answerCall(
  call: ToolUseBlock,
  tools: readonly RunnableTool[],
  { signal, timeoutMs = 600_000, approve }: CallOptions = {},
): Promise<ToolResultBlockParam> {
  const tool = tools.find(({ name }) => name === call.name)
  if (!tool) return failedCall(call, `Tool '${call.name}' not found`)
  const flaw = flawOf(call)
  if (flaw) return failedCall(call, flaw)
  let input: unknown
  try {
    input = tool.parse ? await tool.parse(call.input) : call.input
  } catch (error) {
    return failedCall(call, messageOf(error))
  }
  const verdict = approve ? await approve(call, { tool, signal: signal ?? undefined }) : true
  if (signal?.aborted) throw aborted(signal)
  if (verdict !== true)
    return failedCall(call, `The call of tool '${call.name}' was declined${verdict ? `: ${verdict}` : ''}`)
  try {
    const run = async (signal: AbortSignal): Promise<ToolResultBlockParam['content']> =>
      contentOf(await tool.run(input, { toolUse: call, toolUseBlock: call, signal }))
    const content = await withLimit(run, { signal, timeoutMs: tool.timeoutMs ?? timeoutMs, call })
    return { ...resultOf(call), ...(content === undefined ? {} : { content }) }
  } catch (error) {
    if (signal?.aborted) throw aborted(signal)
    if (error instanceof ToolError) return { ...resultOf(call), content: error.content, is_error: true }
    return failedCall(call, messageOf(error))
  }
}

/** The result of a call that failed or was not made, as the model reads it. */
export function failedCall(call: ToolUseBlock, reason: string): ToolResultBlockParam {
  return { ...resultOf(call), content: `Error: ${reason}`, is_error: true }
}

function resultOf({ id, toolset_name }: ToolUseBlock): ToolResultBlockParam {
  return { type: 'tool_result', tool_use_id: id, ...(toolset_name === undefined ? {} : { toolset_name }) }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

interface Limit {
  signal: AbortSignal | null | undefined
  timeoutMs: number
  call: ToolUseBlock
}

/** The result of the work, unless the time is over or the signal aborts before it: the work is told and not waited for. */
async function withLimit<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  { signal, timeoutMs, call }: Limit,
): Promise<Result> {
  const controller = new AbortController()
  const { promise: ended, reject } = Promise.withResolvers<never>()
  // First the rejection: the work may fail at once when it is told, and that must not be the answer.
  const end = (error: Error): void => {
    reject(error)
    controller.abort(error)
  }
  const onAbort = (): void => end(aborted(signal!))
  const onTimeout = (): void => end(new Error(`Tool '${call.name}' did not finish within ${timeoutMs} ms`))
  const timer = startTimer(onTimeout, timeoutMs)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([ended, work(controller.signal)])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

function aborted(signal: AbortSignal): APIUserAbortError {
  return new APIUserAbortError({ cause: signal.reason })
}

function contentOf(output: unknown): string | ToolResultContent[] | undefined {
  if (output === undefined || output === null || typeof output === 'string') return output ?? undefined
  if (Array.isArray(output) && output.every(isBlock)) return output
  return JSON.stringify(output)
}

function isBlock(value: unknown): value is ToolResultContent {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

/** Why the input cannot be given to a tool, whatever the tool checks. */
function flawOf(call: ToolUseBlock): string | undefined {
  const text = partialInput(call)
  const found = text ?? (isToolInput(call.input) ? undefined : (JSON.stringify(call.input) ?? 'nothing'))
  if (found === undefined) return undefined
  const expected = text === undefined ? 'a JSON object' : 'whole JSON'
  return `Tool '${call.name}' was not run, as its input is not ${expected}: ${found}`
}
