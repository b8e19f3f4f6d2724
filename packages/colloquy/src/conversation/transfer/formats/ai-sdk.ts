import { isObject } from '../../../protocol/json/json-object.ts'
import { isBlank } from '../../../protocol/sendable.ts'
import { cutText } from '../../../protocol/text.ts'
import type { Pausable } from '../../in-slices.ts'
import { contentOf, type SourceBlock, textBlock, toBlock } from '../blocks.ts'
import type { ImportNotes } from '../report.ts'
import { keysOf, printed } from '../unknown-file.ts'
import { type SourceConversation, type SourceMessage, timeIn } from '../source.ts'
import { mediaBlock } from './media-block.ts'

/** A UI message of the AI SDK: since version 5 with `parts` alone, before with `content` too. */
export interface UiMessage {
  role?: unknown
  content?: unknown
  parts: (UiPart | null)[]
  createdAt?: unknown
}

interface UiPart {
  type?: unknown
  text?: unknown
  [other: string]: unknown
}

export function isUiMessage(value: unknown): value is UiMessage {
  return isObject(value) && Array.isArray(value['parts']) && 'role' in value
}

/**
 * Reads UI messages of the AI SDK. A message of the assistant can hold several steps: each becomes a reply with its tool calls
 * and a user message with their results. Reasoning keeps its signature where a provider gave one.
 */
export function* readUiMessages(
  list: readonly { line: number; value: unknown }[],
  notes: ImportNotes,
): Pausable<SourceConversation> {
  const messages: SourceMessage[] = []
  for (const { line, value } of list) {
    yield
    const message = uiMessageIn(value)
    if (message === undefined) {
      notes.skipped(line, `${keysOf(value)} among UI messages`)
      continue
    }
    const role = printed(message.role)
    if (!roles.has(role)) {
      notes.skipped(line, `a message with the role ${cutText(role, 40)}`)
      continue
    }
    const createdAt = timeIn(message.createdAt)
    const said = message.role === 'assistant' ? stepsOf(message, line, notes) : [questionOf(message, line, notes)]
    for (const { role, blocks } of said) {
      if (blocks.length === 0) continue
      messages.push({ line, role, parent: messages.length, createdAt, content: contentOf(blocks) })
    }
  }
  return { settings: {}, messages, head: messages.length }
}

/** A message of AI SDK 4 may have its text as content alone. */
function uiMessageIn(value: unknown): UiMessage | undefined {
  if (isUiMessage(value)) return value
  const { role, content } = (value ?? {}) as { role?: unknown; content?: unknown }
  return typeof content === 'string' ? { role, parts: [{ type: 'text', text: content }] } : undefined
}

/** Version 4 has `data` too, which no model reads. */
const roles = new Set(['user', 'assistant', 'system'])

interface Said {
  role: string
  blocks: SourceBlock[]
}

function questionOf({ role, parts }: UiMessage, line: number, notes: ImportNotes): Said {
  return { role: printed(role), blocks: parts.flatMap((part) => blockOf(part ?? {}, line, notes)) }
}

/** The replies of an assistant's message, each with the results of its calls behind it. */
function stepsOf({ parts }: UiMessage, line: number, notes: ImportNotes): Said[] {
  const steps: { reply: SourceBlock[]; results: SourceBlock[] }[] = [{ reply: [], results: [] }]
  for (const part of parts) {
    const call = toolPartOf(part ?? {})
    const step = steps.at(-1)!
    if (call) {
      step.reply.push(toBlock({ type: 'tool_use', id: call.id, name: call.name, input: call.input }))
      if (call.result) step.results.push(toBlock({ type: 'tool_result', tool_use_id: call.id, ...call.result }))
      continue
    }
    const blocks = blockOf(part ?? {}, line, notes)
    // Text after a call with a result was written after the result.
    if (step.results.length > 0 && (blocks.length > 0 || part?.type === 'step-start'))
      steps.push({ reply: blocks, results: [] })
    else step.reply.push(...blocks)
  }
  return steps.flatMap(({ reply, results }) => [
    { role: 'assistant', blocks: reply },
    { role: 'user', blocks: results },
  ])
}

/** The block of a part; none if it is not for the model. */
function blockOf(part: UiPart, line: number, notes: ImportNotes): SourceBlock[] {
  if (part.type === 'text') return isBlank(printed(part.text ?? '')) ? [] : [textBlock(part.text as string)]
  if (part.type === 'reasoning') return reasoningOf(part)
  if (part.type === 'file') return [fileOf(part)]
  if (part.type !== 'step-start') notes.repaired(line, `left out: a ${printed(part.type)} part, which no model reads`)
  return []
}

function reasoningOf(part: UiPart): SourceBlock[] {
  const { anthropic } = (part['providerMetadata'] ?? {}) as {
    anthropic?: { signature?: unknown; redactedData?: unknown }
  }
  if (anthropic?.redactedData !== undefined)
    return [toBlock({ type: 'redacted_thinking', data: anthropic.redactedData })]
  const thinking = part.text ?? part['reasoning']
  return [toBlock({ type: 'thinking', thinking, signature: anthropic?.signature })]
}

function fileOf({ mediaType, mimeType, url, data, filename }: UiPart): SourceBlock {
  return mediaBlock({ data: url ?? data, type: mediaType ?? mimeType, title: filename })
}

interface ToolPart {
  id: string
  name: string
  input: unknown
  /** Absent: the tool has not answered. */
  result?: { content: string; is_error?: true }
}

/** The call of a `tool-NAME`, `dynamic-tool` or `tool-invocation` part. */
function toolPartOf(part: UiPart): ToolPart | undefined {
  const type = printed(part.type)
  if (type === 'tool-invocation') return invocationOf(part['toolInvocation'] as Record<string, unknown>)
  if (type !== 'dynamic-tool' && !type.startsWith('tool-')) return undefined
  const name = type === 'dynamic-tool' ? printed(part['toolName']) : type.slice('tool-'.length)
  const call = { id: printed(part['toolCallId']), name, input: part['input'] ?? part['rawInput'] ?? {} }
  if (part['state'] === 'output-available') return { ...call, result: { content: textOfOutput(part['output']) } }
  const { reason = 'denied' } = (part['approval'] ?? {}) as { reason?: unknown }
  if (part['state'] === 'output-denied') return { ...call, result: { content: printed(reason), is_error: true } }
  if (part['state'] !== 'output-error') return call
  return { ...call, result: { content: printed(part['errorText'] ?? 'failed'), is_error: true } }
}

/** The call of an AI SDK 4 part. */
function invocationOf(given: Record<string, unknown> | null | undefined): ToolPart {
  const invocation = given ?? {}
  const call = {
    id: printed(invocation['toolCallId']),
    name: printed(invocation['toolName']),
    input: invocation['args'] ?? {},
  }
  return invocation['state'] === 'result' ? { ...call, result: { content: textOfOutput(invocation['result']) } } : call
}

function textOfOutput(output: unknown): string {
  return typeof output === 'string' ? output : (JSON.stringify(output) ?? '')
}
