import { isServerToolBlock, isServerToolUse, isToolInput } from '../../../protocol/sendable.ts'
import type { Pausable } from '../../in-slices.ts'
import { type AnyBlock, blocksOf } from '../blocks.ts'
import type { SourceMessage } from '../source.ts'

/** A call of one of the API's own tools whose result has not come yet. */
interface OpenCall {
  id: unknown
  /** The number of its message. */
  message: number
  /** The calls of the caller's tools in that message. The API sends its own result after theirs. */
  tools: ReadonlySet<unknown>
}

/** The ids of the calls that are complete although their results are in another message, by the numbers of both messages. */
export type ServerCallPairs = ReadonlyMap<number, ReadonlySet<unknown>>

/** The most calls of a path that wait for results. A file with more is not of the API, and would take memory for each pair. */
const mostOpen = 100

/**
 * Finds the calls of the API's own tools whose results are in a later reply, since the reply that made them paused. A call at the
 * end of a path stays open if its reply says that it paused.
 */
export function* pairServerCalls(messages: readonly SourceMessage[]): Pausable<ServerCallPairs> {
  const pairs = new Map<number, Set<unknown>>()
  const parents = new Set(messages.map(({ parent }) => parent))
  const openAfter: (readonly OpenCall[])[] = [[]]
  for (const [index, message] of messages.entries()) {
    yield
    const number = index + 1
    const before = openAfter[message.parent]!
    openAfter.push(before)
    // Most messages have no such block, and are not parsed.
    if (message.content === null || (before.length === 0 && !message.content.includes('_tool_use"'))) continue
    const blocks = (blocksOf(message.content) ?? []).map(({ block }) => block)
    if (message.role !== 'assistant') {
      // Messages of the user that follow each other are one turn.
      if (messages[message.parent - 1]?.role === message.role) continue
      const results = new Set(blocks.map((block) => block.type === 'tool_result' && block.tool_use_id))
      openAfter[number] = afterResults(before, results)
      continue
    }
    const open = [...before, ...callsIn(blocks, number)]
    const answered = new Set(blocks.filter(isServerToolBlock).map((block) => block.tool_use_id))
    openAfter[number] = open.filter(({ id }) => !answered.has(id)).slice(-mostOpen)
    const isPaused = message.about?.stop_reason === 'pause_turn' && !parents.has(number)
    const complete = isPaused ? open : open.filter(({ id }) => answered.has(id))
    for (const { id, message: caller } of complete) for (const each of [caller, number]) add(pairs, each, id)
  }
  return pairs
}

/** The calls that stay open after a message of the user. They do so once, if it has results of calls that were made with them. */
function afterResults(open: readonly OpenCall[], results: ReadonlySet<unknown>): OpenCall[] {
  const deferred = open.filter(({ tools }) => [...tools].some((id) => results.has(id)))
  return deferred.map((call) => ({ ...call, tools: new Set() }))
}

function callsIn(blocks: readonly AnyBlock[], message: number): OpenCall[] {
  const tools = new Set(blocks.flatMap(({ type, id }) => (type === 'tool_use' ? [id] : [])))
  const calls = blocks.filter((block) => isServerToolUse(block) && isToolInput(block.input))
  return calls.map(({ id }) => ({ id, message, tools }))
}

function add(pairs: Map<number, Set<unknown>>, number: number, id: unknown): void {
  const ids = pairs.get(number)
  if (ids) ids.add(id)
  else pairs.set(number, new Set([id]))
}
