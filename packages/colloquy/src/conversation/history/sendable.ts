import { isBlank, isServerToolUse, isThinking, withoutLastThinking } from '../../protocol/sendable.ts'
import { wellFormedJson } from '../../protocol/codec/well-formed-json.ts'
import type { StopReason } from '../../protocol/types/message.ts'
import { jsonElements, jsonMembers } from './exact/json-members.ts'
import { type ArrivedBlock, blockJson, blocksOf, isPlain, isWholeInput } from './reply-builder.ts'

/** A reply as it is stored. */
export interface StoredReply {
  /** The message as it is sent back; empty if nothing of it may be. */
  json: string
  /** The message as it was received, if that is something else. */
  received: string | null
}

/**
 * Decides which blocks of a reply are sent back, by the API's rules, so that no reply makes later requests fail.
 *
 * A complete reply is sent back unchanged, except that these are left out:
 *
 * - every block of a refusal,
 * - blocks that were cut off, except text,
 * - tool calls that cannot be answered because the reply ended early,
 * - server tool calls without a result, unless the API still runs them,
 * - text without a visible character,
 * - thinking at the end, after which no other block comes.
 *
 * Halves of surrogate pairs are replaced by U+FFFD.
 *
 * @param stopReason undefined if the reply was interrupted.
 */
export function toStoredReply(blocks: readonly ArrivedBlock[], stopReason: StopReason | null | undefined): StoredReply {
  const sendable: ArrivedBlock[] = []
  for (const arrived of blocks) {
    if (maySend(arrived, blocks, stopReason ?? undefined)) sendable.push(withWholeInput(arrived))
  }
  const end = stopReason === 'refusal' ? 0 : withoutLastThinking(blocksOf(sendable)).length
  const exact = end === 0 ? '' : messageJson(sendable.slice(0, end))
  // A model can escape half a surrogate pair in the input of a tool.
  const json = wellFormedJson(exact)
  const isSame = json === exact && end === blocks.length && blocks.every((block, index) => block === sendable[index])
  return { json, received: isSame ? null : messageJson(blocks) }
}

// After these the model does not wait for the results of its calls.
const cutShort = new Set<StopReason | undefined>([undefined, 'max_tokens', 'model_context_window_exceeded', 'refusal'])

// After these the API still runs the server tools that were called: it sends their results at the beginning of the next reply.
const resumes = new Set<StopReason | undefined>(['pause_turn', 'tool_use'])

function maySend(arrived: ArrivedBlock, all: readonly ArrivedBlock[], stopReason: StopReason | undefined): boolean {
  const { block, input, ended } = arrived
  const isCut = !ended && cutShort.has(stopReason)
  if (block.type === 'text') return !isBlank(block.text)
  if (isThinking(block)) return !isCut
  if (block.type === 'tool_use') return !cutShort.has(stopReason)
  if (!isServerToolUse(block)) return !isCut
  const { id } = block as { id?: unknown }
  return isWholeInput(input) && (resumes.has(stopReason) || hasResult(id, all))
}

/** A call whose input is malformed gets an empty one, as the API takes it. The result tells the model what was wrong. */
function withWholeInput(arrived: ArrivedBlock): ArrivedBlock {
  const { block, input } = arrived
  if (block.type !== 'tool_use' || isWholeInput(input)) return arrived
  return { ...arrived, block: { ...block, input: {} }, input: undefined }
}

/** A reply's message without its thinking. Everything else stays the same text. */
export function withoutThinking(json: string): string {
  const content = jsonMembers(json).get('content')!
  if (content.startsWith('"')) return json
  const kept = jsonElements(content).filter((block) => !isThinking(JSON.parse(block) as { type: string }))
  return kept.length === 0 ? '' : `{"role":"assistant","content":[${kept.join(',')}]}`
}

function hasResult(id: unknown, all: readonly ArrivedBlock[]): boolean {
  return all.some(({ block }) => 'tool_use_id' in block && block.tool_use_id === id)
}

function messageJson(blocks: readonly ArrivedBlock[]): string {
  if (blocks.every(isPlain)) return JSON.stringify({ role: 'assistant', content: blocksOf(blocks) })
  return `{"role":"assistant","content":[${blocks.map(blockJson).join(',')}]}`
}
