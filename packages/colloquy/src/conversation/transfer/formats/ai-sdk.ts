import { isObject } from '../../../protocol/json/json-object.ts'
import { cutText } from '../../../protocol/text.ts'
import type { Pausable } from '../../in-slices.ts'
import { type SourceBlock, toBlock } from '../blocks.ts'
import type { SourceLine } from '../report.ts'
import type { ListItem, SourceConversation } from '../source.ts'
import { type Fields, fieldsIn, isVisible, keysOf, printed, timeIn } from '../values.ts'
import { type GivenCall, partsOf, providerParts } from './ai-sdk-model.ts'
import { blocksOfPart } from './library-message.ts'
import { collectEach } from './message-collector.ts'

/** A UI message of the AI SDK: since version 5 with `parts` alone, before with `content` too. */
interface UiMessage {
  role?: unknown
  parts: readonly unknown[]
  createdAt?: unknown
}

export function isUiMessage(value: unknown): value is UiMessage {
  return isObject(value) && Array.isArray(value['parts']) && 'role' in value
}

/** Version 4 has `data` too, which no model reads. */
const roles = new Set(['user', 'assistant', 'system'])

/**
 * Reads UI messages of the AI SDK. A message of the assistant can hold several steps: each becomes a reply with its tool calls
 * and a user message with their results. Reasoning keeps its signature where a provider gave one.
 */
export function readUiMessages(list: readonly ListItem[]): Pausable<SourceConversation> {
  return collectEach(list, (messages, { line, value }) => {
    const message = uiMessageIn(value)
    if (message === undefined) return line.skipped(`${keysOf(value)} among UI messages`)
    const role = printed(message.role)
    if (!roles.has(role)) return line.skipped(`a message with the role ${cutText(role, 40)}`)
    const createdAt = timeIn(message.createdAt)
    const parts = message.parts.map(fieldsIn)
    const said = role === 'assistant' ? stepsOf(parts, line) : [{ role, blocks: blocksOf(parts, line) }]
    for (const { role, blocks } of said) if (blocks.length > 0) messages.add({ line, role, blocks, createdAt })
  })
}

/** A message of AI SDK 4 may have its text as content alone. */
function uiMessageIn(value: unknown): UiMessage | undefined {
  if (isUiMessage(value)) return value
  const { role, content } = fieldsIn(value)
  return typeof content === 'string' ? { role, parts: [{ type: 'text', text: content }] } : undefined
}

/** The replies of an assistant's message, each with the results of its calls behind it. */
function stepsOf(parts: readonly Fields[], line: SourceLine): { role: string; blocks: SourceBlock[] }[] {
  const steps: { reply: SourceBlock[]; results: SourceBlock[] }[] = [{ reply: [], results: [] }]
  for (const part of parts) {
    const call = toolCallIn(part)
    const step = steps.at(-1)!
    if (call && part['providerExecuted'] !== true) {
      const { id, name, input, result } = call
      step.reply.push(toBlock({ type: 'tool_use', id, name, input }))
      if (result) step.results.push(toBlock({ type: 'tool_result', tool_use_id: id, ...result }))
      continue
    }
    const blocks = call
      ? providerParts(call, part['output'] ?? part['errorText']).flatMap((each) => blocksOfPart(each, line))
      : blocksOf([part], line)
    // Text after a call with a result was written after the result.
    if (step.results.length > 0 && (blocks.length > 0 || part['type'] === 'step-start'))
      steps.push({ reply: blocks, results: [] })
    else step.reply.push(...blocks)
  }
  return steps.flatMap(({ reply, results }) => [
    { role: 'assistant', blocks: reply },
    { role: 'user', blocks: results },
  ])
}

/** The blocks of parts, without those that are not for the model. */
function blocksOf(parts: readonly Fields[], line: SourceLine): SourceBlock[] {
  return parts.flatMap((part) => {
    const { type, text } = part
    if (type === 'step-start' || (type === 'text' && !isVisible(text))) return []
    if (type === 'text' || type === 'reasoning' || type === 'file')
      return partsOf([part]).flatMap((each) => blocksOfPart(each, line))
    line.repaired(`left out: a ${printed(type)} part, which no model reads`)
    return []
  })
}

interface ToolCall extends GivenCall {
  id: string
  name: string
  /** Absent: the tool has not answered. */
  result?: { content: string; is_error?: true }
}

/** The call of a `tool-NAME`, `dynamic-tool` or `tool-invocation` part. */
function toolCallIn(part: Fields): ToolCall | undefined {
  const type = printed(part['type'])
  if (type !== 'dynamic-tool' && !type.startsWith('tool-')) return undefined
  // Version 4 has the call in a member.
  const isOld = type === 'tool-invocation'
  const given = isOld ? fieldsIn(part['toolInvocation']) : part
  const { toolCallId, toolName, input = given['args'] ?? given['rawInput'] ?? {} } = given
  const name = isOld || type === 'dynamic-tool' ? printed(toolName) : type.slice('tool-'.length)
  const result = resultIn(given)
  return { id: printed(toolCallId), name, input, ...(result && { result }) }
}

function resultIn({ state, result, output, approval, errorText }: Fields): ToolCall['result'] {
  switch (state) {
    case 'result':
      return { content: textOfOutput(result) }
    case 'output-available':
      return { content: textOfOutput(output) }
    case 'output-denied':
      return { content: printed(fieldsIn(approval)['reason'] ?? 'denied'), is_error: true }
    case 'output-error':
      return { content: printed(errorText ?? 'failed'), is_error: true }
    default:
      return undefined
  }
}

function textOfOutput(output: unknown): string {
  return typeof output === 'string' ? output : (JSON.stringify(output) ?? '')
}
