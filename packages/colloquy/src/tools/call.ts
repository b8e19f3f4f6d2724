import { isResultBlock, isSilentFailure, silentFailureText } from '../protocol/content/block-fields.ts'
import { APIUserAbortError } from '../protocol/types/error.ts'
import type { Message, ToolUseBlock } from '../protocol/types/message.ts'
import type { ToolResultBlockParam, ToolResultContent, UserMessageParam } from '../protocol/types/params.ts'
import { checkArgument } from '../protocol/json/option-names.ts'
import { partialInput } from '../protocol/codec/partial-input.ts'
import { isBlank, isToolInput } from '../protocol/sendable.ts'
import { type Promisable, type Runnable, isCalled, isToolset, toolsetNameOf } from './runnable.ts'
import { startTimer } from './timer.ts'
import { ToolError } from './tool-error.ts'
import { answerMember, malformedCall, notExecuted } from './toolsets/answer.ts'
import { ToolsetUsageError } from './toolsets/errors.ts'
import { quotable } from './toolsets/text.ts'

/** How tool calls are run. */
export interface CallOptions {
  signal?: AbortSignal | null | undefined
  /** The longest time of a call without its approval, unless the tool has its own `timeoutMs`. Default 600,000. */
  timeoutMs?: number
  /**
   * Called before each call with valid input. `false`, or a text with the reason, declines the call, and the model reads so.
   * An error that it throws ends the loop.
   */
  approve?: (
    call: ToolUseBlock,
    context: { tool: Runnable; signal: AbortSignal | undefined },
  ) => Promisable<boolean | string>
}

/** The next action of a tool loop after a reply. */
export type NextStep = { type: 'call'; calls: ToolUseBlock[] } | { type: 'resume' } | { type: 'stop' }

/**
 * The next step of a tool loop after a reply: answer the calls in one user message, send the reply back unchanged, or stop.
 * An unknown stop reason means stop.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { answerCalls, nextStep, tool } from 'colloquy/tools'
 *
 * const clock = tool({ name: 'clock', description: 'The time.', inputSchema: { type: 'object' }, run: () => '12:00' })
 * const client = new Anthropic()
 * const request = { model: 'claude-sonnet-4-6', max_tokens: 1024, tools: [clock] }
 * const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Use clock to tell me the time.' }]
 * for (;;) {
 *   const reply = await client.messages.create({ ...request, messages })
 *   const step = nextStep(reply)
 *   messages.push({ role: 'assistant', content: reply.content })
 *   if (step.type === 'stop') break
 *   if (step.type === 'call') messages.push(await answerCalls(step.calls, [clock]))
 * }
 * console.log(messages.length) // 4
 * ```
 */
export function nextStep(reply: Message): NextStep {
  checkArgument(reply, 'an object', 'a reply')
  if (reply.stop_reason === 'pause_turn' || reply.stop_reason === 'compaction') return { type: 'resume' }
  const calls = reply.stop_reason === 'tool_use' ? callsIn(reply) : []
  return calls.length ? { type: 'call', calls } : { type: 'stop' }
}

/** The tool calls of a reply, in order. */
export function callsIn(reply: Pick<Message, 'content'>): ToolUseBlock[] {
  checkArgument(reply?.content, 'a list', 'the content of a reply')
  return reply.content.filter((block) => block.type === 'tool_use')
}

/**
 * Answers calls concurrently, those of one toolset in order. The message has the results in the order of the calls, as the API
 * requires.
 *
 * @example
 * ```ts
 * import { answerCalls, tool } from 'colloquy/tools'
 *
 * const clock = tool({ name: 'clock', description: 'The time.', inputSchema: { type: 'object' }, run: () => '12:00' })
 * const call = { type: 'tool_use' as const, id: 'toolu_1', name: 'clock', input: {} }
 * const { content } = await answerCalls([call], [clock])
 * console.log(content[0]) // { type: 'tool_result', tool_use_id: 'toolu_1', content: '12:00' }
 * ```
 */
export async function answerCalls(
  calls: readonly ToolUseBlock[],
  tools: readonly Runnable[],
  options: CallOptions = {},
): Promise<UserMessageParam> {
  checkArgument(calls, 'a list', 'the calls of answerCalls()')
  checkTools(tools)
  const results = startCalls(calls, tools, (call) => answerCall(call, tools, options))
  return { role: 'user', content: await Promise.all(results) }
}

/**
 * Starts calls concurrently. The calls of one toolset run in order, and none of them after one that failed: the model planned
 * them as a sequence.
 */
export function startCalls(
  calls: readonly ToolUseBlock[],
  tools: readonly Runnable[],
  start: (call: ToolUseBlock) => Promise<ToolResultBlockParam>,
): Array<Promise<ToolResultBlockParam>> {
  const succeeded = new Map<string, Promise<boolean>>()
  return calls.map((call) => {
    const toolset = calledToolset(call, tools)
    if (toolset === undefined) return start(call)
    const earlier = call.toolset_name ? succeeded.get(toolset) : undefined
    const result = earlier ? earlier.then((isDone) => (isDone ? start(call) : notExecuted(call))) : start(call)
    succeeded.set(
      toolset,
      result.then(
        ({ is_error }) => !is_error,
        () => false,
      ),
    )
    return result
  })
}

/** The name of the runnable toolset that a call is for. A call without `toolset_name` that has a toolset's name is malformed. */
export function calledToolset(call: ToolUseBlock, tools: readonly Runnable[]): string | undefined {
  if (tools.some((tool) => isCalled(tool, call))) return call.toolset_name ?? undefined
  const named = call.toolset_name ? undefined : tools.filter(isToolset).map(toolsetNameOf)
  return named?.find((name) => name === call.name)
}

/**
 * Answers one call. Errors become a result with `is_error` that the model reads: an unknown tool, an input that is malformed
 * or fails the schema, a declined approval, a tool that throws or takes too long. Rejects only with `APIUserAbortError`, when
 * `signal` aborts, with a `ToolsetUsageError`, and with the errors of `approve`.
 *
 * @example
 * ```ts
 * import { answerCall } from 'colloquy/tools'
 *
 * const call = { type: 'tool_use' as const, id: 'toolu_1', name: 'clock', input: {} }
 * console.log((await answerCall(call, [])).is_error) // true
 * ```
 */
export async function answerCall(
  call: ToolUseBlock,
  tools: readonly Runnable[],
  { signal, timeoutMs = 600_000, approve }: CallOptions = {},
): Promise<ToolResultBlockParam> {
  checkArgument(call, 'an object', 'a call')
  checkTools(tools)
  const tool = tools.find((tool) => isCalled(tool, call))
  if (!tool) return unknownTool(call, tools)
  const flaw = flawOf(call)
  if (flaw) return failedCall(call, flaw)
  let input: unknown
  try {
    const parsed = !isToolset(tool) && tool.parse ? tool.parse(call.input) : call.input
    // Without a wait where none is needed, so that tools start in the order of their calls.
    input = parsed instanceof Promise ? await parsed : parsed
  } catch (error) {
    return failedCall(call, messageOf(error))
  }
  const verdict = approve ? await approve(call, { tool, signal: signal ?? undefined }) : true
  if (signal?.aborted) throw aborted(signal)
  if (verdict !== true)
    return failedCall(call, `The call of tool '${call.name}' was declined${verdict ? `: ${verdict}` : ''}`)
  try {
    const limit = { signal, timeoutMs: tool.timeoutMs ?? timeoutMs, call }
    return await withLimit((signal) => run(tool, input, call, signal), limit)
  } catch (error) {
    if (signal?.aborted) throw aborted(signal)
    if (error instanceof ToolsetUsageError) throw error
    if (error instanceof ToolError) return errorResult(call, error)
    return failedCall(call, messageOf(error))
  }
}

function checkTools(tools: readonly Runnable[]): void {
  checkArgument(tools, 'a list', 'the tools of a call')
  for (const tool of tools) checkArgument(tool, 'an object', 'a tool')
}

async function run(
  tool: Runnable,
  input: unknown,
  call: ToolUseBlock,
  signal: AbortSignal,
): Promise<ToolResultBlockParam> {
  if (isToolset(tool)) return answerMember(call, tool, signal)
  const content = contentOf(await tool.run(input, { toolUse: call, toolUseBlock: call, signal }))
  return { ...resultOf(call), ...(content === undefined ? {} : { content }) }
}

function unknownTool(call: ToolUseBlock, tools: readonly Runnable[]): ToolResultBlockParam {
  const { name, toolset_name } = call
  if (calledToolset(call, tools)) return malformedCall(call)
  if (!toolset_name) return failedCall(call, `Tool '${name}' not found`)
  return failedCall(call, `Toolset '${quotable(toolset_name)}' member '${quotable(name)}' not found`)
}

/**
 * The result for a call that failed or did not run.
 *
 * @example
 * ```ts
 * import { failedCall } from 'colloquy/tools'
 *
 * const call = { type: 'tool_use' as const, id: 'toolu_1', name: 'clock', input: {} }
 * console.log(failedCall(call, 'The clock is broken').is_error) // true
 * ```
 */
export function failedCall(call: ToolUseBlock, reason: string): ToolResultBlockParam {
  return { ...resultOf(call), content: `Error: ${reason}`, is_error: true }
}

function resultOf({ id, toolset_name }: ToolUseBlock): ToolResultBlockParam {
  return { type: 'tool_result', tool_use_id: id, ...(toolset_name && { toolset_name }) }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

interface Limit {
  signal: AbortSignal | null | undefined
  timeoutMs: number
  call: ToolUseBlock
}

/** Awaits the work until the timeout or the abort of the signal, which aborts the work and does not wait for it. */
async function withLimit<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  { signal, timeoutMs, call }: Limit,
): Promise<Result> {
  const controller = new AbortController()
  let reject!: (error: Error) => void
  // Not `Promise.withResolvers()`, which React Native and some browsers lack.
  const ended = new Promise<never>((_, rejectEnded) => (reject = rejectEnded))
  // Reject first: the work may throw at once when it is aborted, and that error must not win.
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
  if (Array.isArray(output) && output.every(isResultBlock)) return output.filter(isVisible) as ToolResultContent[]
  return JSON.stringify(output)
}

/** Whether a part of a result may be sent: the API refuses a text without a visible character. */
function isVisible({ type, text }: { type?: unknown; text?: unknown }): boolean {
  return type !== 'text' || typeof text !== 'string' || !isBlank(text)
}

/** Why the input cannot be passed to any tool. */
function flawOf(call: ToolUseBlock): string | undefined {
  const text = partialInput(call)
  const found = text ?? (isToolInput(call.input) ? undefined : (JSON.stringify(call.input) ?? 'nothing'))
  if (found === undefined) return undefined
  const expected = text === undefined ? 'a JSON object' : 'whole JSON'
  return `Tool '${call.name}' was not run, as its input is not ${expected}: ${found}`
}

function errorResult(call: ToolUseBlock, { content }: ToolError): ToolResultBlockParam {
  const parts = Array.isArray(content) ? content.filter(isVisible) : content
  const result: ToolResultBlockParam = { ...resultOf(call), content: parts, is_error: true }
  return isSilentFailure(result) ? { ...result, content: silentFailureText } : result
}
