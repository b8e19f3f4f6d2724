import { mapped, type Pausable } from '../../in-slices.ts'
import { type CleanMessage, cleanMessage } from './clean.ts'
import type { SourceBlock } from '../blocks.ts'
import { pairServerCalls } from './server-calls.ts'
import type { SourceConversation } from '../source.ts'

/** The messages of a file as a tree, by number, without those that hold no content at all. */
export class SourceTree {
  readonly #clean: (CleanMessage | undefined)[]
  readonly #nearestKept: number[]
  readonly #children: number[][]
  readonly #calls: ReadonlyMap<string, string>[]
  readonly #results: ReadonlySet<readonly string[]>[]
  readonly #keepsOpenCalls: boolean;

  static *of(source: SourceConversation): Pausable<SourceTree> {
    const pairs = yield* pairServerCalls(source.messages)
    const clean = yield* mapped(source.messages, (message, index) =>
      cleanMessage(message, source.isOfApi, pairs.get(index + 1)),
    )
    return new SourceTree(source, clean)
  }

  private constructor({ messages, keepsOpenCalls = false }: SourceConversation, clean: (CleanMessage | undefined)[]) {
    this.#clean = clean
    this.#nearestKept = [0]
    this.#children = Array.from({ length: messages.length + 1 }, () => [])
    for (const [index, { parent }] of messages.entries()) {
      const before = this.nearestKept(parent)
      this.#nearestKept.push(this.isKept(index + 1) ? index + 1 : before)
      if (this.isKept(index + 1)) this.#children[before]!.push(index + 1)
    }
    this.#calls = sentIds(this.#clean)
    this.#results = []
    for (let number = messages.length; number > 0; number--) {
      if (this.isKept(number)) this.#results[number - 1] = this.#resultsOf(number)
    }
    this.#keepsOpenCalls = keepsOpenCalls
  }

  /** The content of a kept message. */
  clean(number: number): CleanMessage {
    return this.#clean[number - 1]!
  }

  isKept(number: number): boolean {
    return this.#clean[number - 1] !== undefined
  }

  /** The message itself, or the nearest one before it that has content; 0 is the beginning. */
  nearestKept(number: number): number {
    return this.#nearestKept[number]!
  }

  /** The messages that follow; those of 0 begin a path. */
  children(number: number): readonly number[] {
    return this.#children[number]!
  }

  /** The tool calls of a message: by the id in the file, the id that goes out, which no other call has. */
  calls(number: number): ReadonlyMap<string, string> {
    return this.#calls[number - 1]!
  }

  /** The messages that follow a reply with calls, by the calls that they answer. */
  groups(number: number): Map<string, number[]> {
    const calls = this.calls(number)
    const groups = new Map<string, number[]>()
    for (const child of this.children(number)) {
      for (const key of this.answers(child, calls)) {
        const group = groups.get(key)
        if (group) group.push(child)
        else groups.set(key, [child])
      }
    }
    if (groups.size === 0) groups.set(keyOf(this.#keepsOpenCalls ? calls.keys() : []), [])
    return groups
  }

  /** The sets of these calls that the message answers: one, or for a message that is never sent those of all that follow. */
  answers(number: number, calls: ReadonlyMap<string, string>): ReadonlySet<string> {
    return new Set([...this.#results[number - 1]!].map((ids) => keyOf(ids.filter((id) => calls.has(id)))))
  }

  /** From the last message to the first, so that what follows a message is known before it. */
  #resultsOf(number: number): ReadonlySet<readonly string[]> {
    const { blocks } = this.clean(number)
    const children = this.children(number)
    if (blocks.length > 0 || children.length === 0) return new Set([resultIds(blocks)])
    if (children.length === 1) return this.#results[children[0]! - 1]!
    return new Set(children.flatMap((child) => [...this.#results[child - 1]!]))
  }
}

function resultIds(blocks: readonly SourceBlock[]): string[] {
  const results = blocks.filter(({ block }) => block.type === 'tool_result')
  return results.map(({ block }) => block.tool_use_id).filter((id) => typeof id === 'string')
}

function keyOf(ids: Iterable<string>): string {
  return JSON.stringify([...new Set(ids)].toSorted())
}

/** The calls of each reply, with an id that the API takes and that no other call of the file has. */
function sentIds(messages: readonly (CleanMessage | undefined)[]): Map<string, string>[] {
  const used = new Map<string, number>()
  return messages.map((message) => {
    const ids = (message?.blocks ?? []).flatMap(({ block }) => (block.type === 'tool_use' ? [block.id as string] : []))
    return new Map([...new Set(ids)].map((id) => [id, unusedId(id, used)]))
  })
}

/** @param used how often each id was asked for. */
function unusedId(id: string, used: Map<string, number>): string {
  const valid = id.replaceAll(/[^a-zA-Z0-9_-]/g, '_')
  for (;;) {
    const count = (used.get(valid) ?? 0) + 1
    used.set(valid, count)
    if (count === 1) return valid
    const numbered = `${valid}_${count}`
    if (used.has(numbered)) continue
    used.set(numbered, 1)
    return numbered
  }
}
