import { mapped, type Pausable } from '../../in-slices.ts'
import { contentOf, type SourceBlock } from '../blocks.ts'
import type { SourceLine } from '../report.ts'
import type { SourceConversation, SourceMessage } from '../source.ts'

interface CollectedMessage {
  line: SourceLine
  role: string
  blocks: readonly SourceBlock[]
  /** Default 0: unknown. */
  createdAt?: number
  about?: SourceMessage['about']
}

/** Collects messages that follow each other. Results of tools in a row become one user message. */
export class MessageCollector {
  readonly #messages: SourceMessage[] = []
  /** The blocks of the last message, if it has results of tools. */
  #results: SourceBlock[] | undefined

  add({ line, role, blocks, createdAt = 0, about }: CollectedMessage): void {
    this.#endResults()
    const place = { line, role, parent: this.#messages.length, createdAt }
    this.#messages.push({ ...place, content: contentOf(blocks), ...(about && { about }) })
  }

  addResult(line: SourceLine, result: SourceBlock): void {
    const results = this.#results ?? []
    if (this.#results === undefined) this.add({ line, role: 'user', blocks: [] })
    results.push(result)
    this.#results = results
  }

  /** The conversation of all messages, in their order. */
  get conversation(): SourceConversation {
    this.#endResults()
    return { settings: {}, messages: this.#messages, head: this.#messages.length }
  }

  #endResults(): void {
    if (this.#results) this.#messages.at(-1)!.content = contentOf(this.#results)
    this.#results = undefined
  }
}

/** Collects the messages that a function adds for each item of a list. */
export function* collectEach<Item>(
  items: Iterable<Item>,
  add: (messages: MessageCollector, item: Item, index: number) => void,
): Pausable<SourceConversation> {
  const messages = new MessageCollector()
  yield* mapped(items, (item, index) => add(messages, item, index))
  return messages.conversation
}
