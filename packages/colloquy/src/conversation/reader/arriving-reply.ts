import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import type { ContentBlock } from '../../protocol/types/message.ts'
import type { MessageJson, StepStartEvent, TurnEvent } from '../turn/stream/turn-event.ts'

type Block = ContentBlock & { [member: string]: unknown }
type Content = Block[]

/**
 * Builds the reply of a step from its events, for a page that shows it while it arrives. `step_end` replaces it with the
 * recorded message, so it is not exact about what it does not know.
 */
export class ArrivingReply {
  message: MessageJson | undefined
  /** The blocks by their index in the events, and the inputs of tool calls that have not ended. */
  #blocks = new Map<number, Block>()
  #inputs = new Map<Block, string>()

  push(event: TurnEvent): void {
    if (event.type === 'step_start') this.#begin(event)
    else if (event.type === 'step_end') this.message = event.message
    else if (this.message && event.type !== 'turn_end') this.#add(event, this.message)
  }

  #begin({ messageId: id, parentId, prefill = [] }: StepStartEvent): void {
    const content = prefill.map((block) => ({ ...block }))
    const createdAt = new Date().toISOString()
    this.message = { id, parentId: parentId ?? undefined, role: 'assistant', content, state: 'pending', createdAt }
    this.#blocks.clear()
    this.#inputs.clear()
  }

  #add(event: MessageStreamEvent, message: MessageJson): void {
    message.state = 'streaming'
    if (event.type === 'message_start') {
      const { model, usage } = event.message
      Object.assign(message, { model, usage })
    } else if (event.type === 'message_delta') message.stopReason = event.delta.stop_reason
    else if (event.type === 'content_block_start') this.#open(event.index, event.content_block as Block, message)
    else if (event.type === 'content_block_delta') this.#change(this.#blocks.get(event.index), event.delta)
    else if (event.type === 'content_block_stop') this.#settle(this.#blocks.get(event.index))
  }

  #open(index: number, start: Block, message: MessageJson): void {
    const content = message.content as Content
    const last = content.at(-1)
    // The first text continues the text of the prefill.
    if (this.#blocks.size === 0 && start.type === 'text' && last?.type === 'text')
      return void this.#blocks.set(index, last)
    const block = { ...start }
    content.push(block)
    this.#blocks.set(index, block)
  }

  #change(block: Block | undefined, delta: object): void {
    if (!block) return
    for (const [name, value] of Object.entries(delta) as [string, unknown][]) {
      if (name === 'partial_json') this.#inputs.set(block, (this.#inputs.get(block) ?? '') + String(value))
      else if (name === 'citation') block['citations'] = [...((block['citations'] as unknown[] | null) ?? []), value]
      else if (name === 'text' || name === 'thinking') block[name] = String(block[name] ?? '') + String(value)
      else if (name !== 'type') block[name] = value
    }
  }

  #settle(block: Block | undefined): void {
    const input = block && this.#inputs.get(block)
    if (!input) return
    try {
      block['input'] = JSON.parse(input) as unknown
    } catch {
      // The model wrote it wrong, or was cut off.
    }
  }
}

/** The text of a message. */
export function textIn(message: MessageJson | undefined): string {
  const content = message?.content ?? []
  if (typeof content === 'string') return content
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}
