import type { ToolUseBlock } from '../../protocol/types/message.ts'
import type { TextBlockParam, ToolResultBlockParam, ToolResultContent } from '../../protocol/types/params.ts'
import { type RunnableToolset, toolsetNameOf } from '../runnable.ts'
import { ToolError } from '../tool-error.ts'
import { throwIfAborted } from './call-queue.ts'
import { ToolsetContractError, ToolsetUsageError } from './errors.ts'
import { cut, maxFieldLength, quotable, wellFormed } from './text.ts'

/** Answers a call of a toolset's member. Rejects with a `ToolsetUsageError`, and when the signal aborts. */
export async function answerMember(
  call: ToolUseBlock,
  toolset: RunnableToolset,
  signal?: AbortSignal,
): Promise<ToolResultBlockParam> {
  const name = toolsetNameOf(toolset)
  if (call.toolset_name !== name) {
    const found = call.toolset_name ? `of the ${call.toolset_name} toolset` : 'without toolset_name'
    throw new ToolsetContractError(`Cannot answer the call ${call.id} with the ${name} toolset: it is a call ${found}`)
  }
  try {
    const context = { toolUse: call, toolUseBlock: call, signal: signal ?? new AbortController().signal }
    return { ...resultOf(call), content: await toolset.run(context, call) }
  } catch (error) {
    const { content } = refusalOf(error, signal)
    return failed(call, typeof content === 'string' ? wellFormed(content) : textsOf(content))
  }
}

/**
 * The error that the model reads for one that a member threw. A wrong use of the toolset and an abort are thrown instead.
 */
export function refusalOf(error: unknown, signal: AbortSignal | null | undefined): ToolError {
  if (error instanceof ToolsetUsageError) throw error
  throwIfAborted(signal)
  if (error instanceof ToolError) return error
  const text = `Error: ${error instanceof Error ? error.message : String(error)}`
  return new ToolError(cut(wellFormed(text), maxFieldLength), { cause: error })
}

/** The texts of an error, each at most as long as the API accepts. */
export function textsOfError({ content }: ToolError): TextBlockParam[] {
  const texts = textsOf(typeof content === 'string' ? [{ type: 'text', text: content }] : content)
  return texts.map((block) => ({ ...block, text: cut(block.text, maxFieldLength) }))
}

/** The result of a call that did not run, as an earlier one of the same toolset failed. */
export function notExecuted(call: ToolUseBlock): ToolResultBlockParam {
  const action = call.toolset_name === 'computer' ? 'computer action' : 'action'
  return failed(call, `Not executed: an earlier ${action} in this turn failed.`)
}

/** The result of a call that is named like a toolset and has no `toolset_name`: its actions could not be read. */
export function malformedCall(call: ToolUseBlock): ToolResultBlockParam {
  const flaw = flawOfActions(call.input)
  const text = `Error: the '${quotable(call.name)}' toolset could not run this call: ${flaw}; nothing in the batch was executed`
  return { type: 'tool_result', tool_use_id: call.id, content: text, is_error: true }
}

function flawOfActions(input: unknown): string {
  const { actions, action } = (input ?? {}) as { actions?: unknown; action?: unknown }
  if (actions === undefined) {
    const given = typeof action === 'string' ? ` (action: '${quotable(action)}')` : ''
    return `the call has no 'actions' list${given}`
  }
  if (typeof actions === 'string') return "'actions' is text, not a list of actions"
  if (!Array.isArray(actions)) return "'actions' is not a list of actions"
  if (actions.length === 0) return "the 'actions' list is empty"
  const names = actions.map((entry: unknown) => (entry as { action?: unknown } | null)?.action)
  const nameless = names.findIndex((name) => typeof name !== 'string')
  if (nameless >= 0) return `action ${nameless} must be an object with a string 'action' field`
  const shown = names.slice(0, 10).map((name) => `'${quotable(name as string)}'`)
  const more = names.length > 10 ? `, and ${names.length - 10} more` : ''
  return `its actions could not be run as sent (actions: ${shown.join(', ')}${more})`
}

function failed(call: ToolUseBlock, content: string | TextBlockParam[]): ToolResultBlockParam {
  // The API refuses an error without content.
  const told = content.length === 0 ? 'The tool call failed with an empty error message.' : content
  return { ...resultOf(call), content: told, is_error: true }
}

function resultOf({ id, toolset_name }: ToolUseBlock): ToolResultBlockParam {
  return { type: 'tool_result', tool_use_id: id, toolset_name: toolset_name ?? null }
}

/** The API accepts only text in an error. */
function textsOf(content: readonly ToolResultContent[]): TextBlockParam[] {
  const texts = content.flatMap((block) => (block.type === 'text' ? [block] : []))
  return texts.filter(({ text }) => text !== '').map((block) => ({ ...block, text: wellFormed(block.text) }))
}
