import type { Engine } from '../../protocol/types/engine.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import { type Health } from './health.ts'

/** An engine that may answer a request. */
export interface Candidate {
  engine: Engine
  health: Health
  /** The name of the engine, and its place among those of the name. */
  name: string
  index: number
  /** The name, with the place if there are several. */
  label: string
  model: string
}

/** One or more engines of a name, as a route uses them. */
export interface Group {
  name: string
  members: readonly { engine: Engine; health: Health }[]
  /** The model to request. Undefined: the request's. */
  model: string | undefined
  weight: number | undefined
}

/** Puts the engines of a route in the order in which they are tried, except that those that cool down come last. */
export function candidatesFor(groups: readonly Group[], model: string, random: () => number): Candidate[] {
  const all = inOrder(groups, random).flatMap((group) => membersOf(group, model, random))
  return [
    ...all.filter(({ health, model: requested }) => health.isReady(requested)),
    ...all.filter(({ health, model: requested }) => !health.isReady(requested)),
  ]
}

function inOrder(groups: readonly Group[], random: () => number): Group[] {
  const weighted = groups.filter(({ weight }) => weight !== undefined)
  if (weighted.length < 2) return [...groups]
  let rest = random() * weighted.reduce((sum, { weight }) => sum + weight!, 0)
  const drawn = weighted.find(({ weight }) => (rest -= weight!) < 0) ?? weighted.at(-1)!
  const others = weighted.filter((group) => group !== drawn)
  return [drawn, ...others, ...groups.filter(({ weight }) => weight === undefined)]
}

/** The engines of a name, beginning with one of them, so that they share the requests. */
function membersOf({ name, members, model }: Group, asked: string, random: () => number): Candidate[] {
  const first = members.length === 1 ? 0 : Math.floor(random() * members.length)
  return members.map((_, place) => {
    const index = (first + place) % members.length
    const label = members.length === 1 ? name : `${name}[${index}]`
    return { ...members[index]!, name, index, label, model: model ?? asked }
  })
}

const hashedCharacters = 1_000

/** A generator of numbers that are the same for each request of a conversation. The request may not have been checked. */
export function randomOf(params: Partial<MessageCreateParams>): () => number {
  const messages: unknown = params.messages
  const first: unknown = Array.isArray(messages) ? (messages[0] as { content?: unknown } | null)?.content : undefined
  const block: unknown = Array.isArray(first) ? first[0] : undefined
  const text = typeof first === 'string' ? first : (block as { text?: unknown } | null | undefined)?.text
  const user = params.metadata?.user_id ?? ''
  return generator(hash(`${user}\n${String(text ?? '').slice(0, hashedCharacters)}`))
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value >>> 0
}

/** Mulberry32: a small generator whose numbers are spread evenly. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
