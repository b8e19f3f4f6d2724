import { jsonOf } from '../../protocol/codec/attached-json.ts'
import { isServerToolUse, withoutLastThinking } from '../../protocol/sendable.ts'
import type { ContentBlockParam, MessageParam } from '../../protocol/types/params.ts'
import { lazyMessage } from './exact/lazy-message.ts'
import { jsonElements, jsonMembers } from './exact/json-members.ts'

interface OpenCall {
  id: string
  message: MessageParam
  /** The message also calls tools of the caller. The API sends its own result after theirs, in its next turn. */
  isDeferred: boolean
}

/**
 * The calls of tools that the API runs, such as web search, whose results have not come yet. If the reply that was to bring a
 * result failed, was cut off or was never requested, the API would refuse every later request: the call is then left out.
 */
export class ServerCalls {
  #open: OpenCall[] = []

  /** The first message that may still lose a call. */
  get first(): MessageParam | undefined {
    return this.#open[0]?.message
  }

  /** Adds a message to those that are sent. The first one of the user ends the turn in which results could come. */
  addTo(sent: MessageParam[], message: MessageParam): void {
    if (message.role === 'assistant') this.#look(message)
    else if (this.#open.length > 0 && sent.at(-1)?.role === 'assistant') this.#endTurn(sent)
    sent.push(message)
  }

  #look(message: MessageParam): void {
    // Most replies have no such call, and are not parsed.
    if (this.#open.length === 0 && !jsonOf(message).includes('_tool_use"')) return
    const blocks = blocksOf(message)
    const isDeferred = blocks.some(({ type }) => type === 'tool_use')
    const calls = blocks.filter(isServerToolUse).map((block) => (block as { id: string }).id)
    const answered = new Set(blocks.map((block) => ('tool_use_id' in block ? block.tool_use_id : undefined)))
    const open = [...this.#open, ...calls.map((id) => ({ id, message, isDeferred }))]
    this.#open = open.filter(({ id }) => !answered.has(id))
  }

  #endTurn(sent: MessageParam[]): void {
    const ended = Map.groupBy(this.#open, ({ isDeferred, message }) => (isDeferred ? undefined : message))
    this.#open = (ended.get(undefined) ?? []).map((call) => ({ ...call, isDeferred: false }))
    ended.delete(undefined)
    for (const [message, calls] of ended) {
      const json = withoutCalls(
        message!,
        calls.map(({ id }) => id),
      )
      sent.splice(sent.lastIndexOf(message!), 1, ...(json === '' ? [] : [lazyMessage('assistant', json)]))
    }
  }
}

/** The JSON of a message without these calls. Everything else stays the same text. Empty if nothing is left to send. */
function withoutCalls(message: MessageParam, ids: readonly string[]): string {
  const content = jsonElements(jsonMembers(jsonOf(message)).get('content')!)
  const blocks = blocksOf(message).map((block, index) => ({ ...block, text: content[index]! }))
  const kept = withoutLastThinking(blocks.filter((block) => !('id' in block) || !ids.includes(block.id)))
  return kept.length === 0 ? '' : `{"role":"assistant","content":[${kept.map(({ text }) => text).join(',')}]}`
}

function blocksOf({ content }: MessageParam): readonly ContentBlockParam[] {
  return typeof content === 'string' ? [] : content
}
