import { MessageAccumulator } from '../../protocol/codec/accumulate.ts'
import { isToolInput } from '../../protocol/sendable.ts'
import type { MessageStreamEvent } from '../../protocol/types/event.ts'
import { receivedJson } from '../../protocol/codec/event-stream.ts'
import { hasAttachedJson, jsonOf } from '../../protocol/codec/attached-json.ts'
import type { ContentBlock, Message } from '../../protocol/types/message.ts'
import { parseJson } from '../../protocol/codec/parse-json.ts'
import { maxLevels } from './content.ts'
import { isNestedDeeper, jsonMembers } from './exact/json-members.ts'

/** A block of a reply as it arrived. */
export interface ArrivedBlock {
  block: ContentBlock
  /** The JSON text of a tool input, exactly as the model wrote it. Undefined if none was streamed. */
  input: string | undefined
  /** Whether its end has arrived. */
  ended: boolean
  /** The exact texts of what arrives in one piece: the members of the block's start, and its citations. */
  members?: ReadonlyMap<string, string> | undefined
  citations?: (string | undefined)[]
}

/**
 * Builds a reply without changing its text. Tool inputs, blocks and citations are kept as the JSON that arrived, because
 * parsing would change its spaces, the order of its keys and its large numbers.
 */
export class ReplyBuilder {
  readonly #accumulator = new MessageAccumulator()
  readonly #prefill: ArrivedBlock[] = []
  readonly #arrived = new Map<number, ArrivedBlock>()

  /** @param prefill the beginning of the reply, if this one continues it. Text continues in the last of these blocks. */
  constructor(prefill: readonly ContentBlock[] = []) {
    for (const block of prefill) {
      const members = hasAttachedJson(block) ? jsonMembers(jsonOf(block)) : undefined
      this.#prefill.push({ block, input: undefined, ended: true, members })
    }
  }

  push(event: MessageStreamEvent): void {
    this.#accumulator.push(event)
    if (event.type === 'content_block_start') {
      const block = this.#accumulator.message!.content.at(-1)!
      const members = textsIn(event, 'content_block')
      this.#arrived.set(event.index, { block, input: undefined, ended: false, members })
    } else if (event.type === 'content_block_delta') {
      const arrived = this.#arrived.get(event.index)
      if (!arrived) return
      if (event.delta.type === 'input_json_delta') arrived.input = (arrived.input ?? '') + event.delta.partial_json
      else if (event.delta.type === 'citations_delta') {
        arrived.citations ??= []
        arrived.citations.push(textsIn(event, 'delta')?.get('citation'))
      }
    } else if (event.type === 'content_block_stop') {
      const arrived = this.#arrived.get(event.index)
      if (arrived) arrived.ended = true
    }
  }

  /** Whether `message_stop` has arrived. */
  get isWhole(): boolean {
    return this.#accumulator.isWhole
  }

  /** The message as far as it has arrived; undefined before it begins. It grows in place. */
  get message(): Message | undefined {
    const { message } = this.#accumulator
    return message && { ...message, content: blocksOf(this.blocks) }
  }

  /** The blocks that the model has written now, without the prefill. */
  get arrived(): ContentBlock[] {
    return blocksOf(this.#arrived.values())
  }

  get blocks(): ArrivedBlock[] {
    const arrived = [...this.#arrived.values()]
    const before = this.#prefill
    if (before.length === 0) return arrived
    const last = before.at(-1)?.block
    const first = arrived[0]?.block
    if (last?.type !== 'text' || first?.type !== 'text') return [...before, ...arrived]
    const joined = { ...arrived[0]!, block: { ...first, text: last.text + first.text } }
    return [...before.slice(0, -1), joined, ...arrived.slice(1)]
  }
}

export function blocksOf(arrived: Iterable<ArrivedBlock>): ContentBlock[] {
  // With map(), the list would be of another kind for V8 once it has optimized this: it would compile all readers again.
  const blocks: ContentBlock[] = []
  for (const { block } of arrived) blocks.push(block)
  return blocks
}

/** The members of a member of the event, as text. Undefined if the event's text is not known. */
function textsIn(event: MessageStreamEvent, name: 'content_block' | 'delta'): ReadonlyMap<string, string> | undefined {
  const text = receivedJson(event)
  const member = text === undefined ? undefined : jsonMembers(text).get(name)
  return member?.startsWith('{') ? jsonMembers(member) : undefined
}

/**
 * The block as JSON, as it was written. A tool input that is not a complete object becomes an empty one, and its text a
 * member of its own.
 */
export function blockJson(arrived: ArrivedBlock): string {
  const { block, input, members, citations } = arrived
  if (isPlain(arrived)) return JSON.stringify(block)
  const isWhole = input === undefined || input === '' || isObject(input)
  const fields = isWhole ? block : { ...block, input: {}, partial_json: input }
  const texts = Object.entries(fields).flatMap(([key, value]: [string, unknown]) => {
    if (value === undefined) return []
    if (key === 'input' && isWhole && input) return [`"input":${input}`]
    const isCited = key === 'citations' && Array.isArray(value) && value.length === citations?.length
    const text = isCited
      ? `[${value.map((citation, index) => exactly(citation, citations[index])).join(',')}]`
      : exactly(value, members?.get(key))
    return [`${JSON.stringify(key)}:${text}`]
  })
  return `{${texts.join(',')}}`
}

/** Whether no text of the block has to be kept as it arrived. */
export function isPlain({ input, members, citations }: ArrivedBlock): boolean {
  return input === undefined && members === undefined && citations === undefined
}

/** The text that arrived, unless the value has changed since. */
function exactly(value: unknown, text: string | undefined): string {
  const json = JSON.stringify(value)
  return text === undefined || text === json || JSON.stringify(parseJson(text)) !== json ? json : text
}

/** Whether the input can be sent back: a JSON object that is not nested too deep, or nothing, which means an empty one. */
export function isWholeInput(input: string | undefined): boolean {
  return input === undefined || input === '' || isObject(input)
}

function isObject(json: string): boolean {
  try {
    return isToolInput(JSON.parse(json)) && !isNestedDeeper(json, maxLevels)
  } catch {
    return false
  }
}
