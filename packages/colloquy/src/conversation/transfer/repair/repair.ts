import { cutText } from '../../../protocol/text.ts'
import { type Archive, messageJson, newRecord } from '../../history/records.ts'
import { markUnbilled } from '../../history/reply-record.ts'
import { mapped, type Pausable } from '../../in-slices.ts'
import type { MessageRecord } from '../../stores/store.ts'
import { contentOf, type SourceBlock, withMember } from '../blocks.ts'
import { withoutThinkingAtEnd } from './clean.ts'
import { checkLevels } from '../lines.ts'
import type { SourceConversation, SourceMessage } from '../source.ts'
import { SourceTree } from './source-tree.ts'

/**
 * Makes every path of an imported conversation one that the API accepts, and notes what was changed.
 *
 * A tool call goes out only if the next message of the path has its result. So a reply whose calls are answered on one branch
 * only is imported twice: with the calls on that branch, without them on the others.
 *
 * @param at the time of messages whose file does not have it.
 */
export function* repair(source: SourceConversation, at: number): Pausable<Archive> {
  const tree = yield* SourceTree.of(source)
  const placed: Placed[] = []
  const visits: Visit[] = tree.children(0).map((number) => ({ number, parent: undefined, calls: noCalls }))
  for (let visit = visits.pop(); visit !== undefined; visit = visits.pop()) {
    visits.push(...place(tree, visit, placed))
    yield
  }
  const inOrder = placed.toSorted((a, b) => a.number - b.number)
  const numbers = new Map(inOrder.map((each, index) => [each, index + 1]))
  const messages = yield* mapped(inOrder, (each) => {
    const { content } = tree.clean(each.number)
    return recordOf(each, numbers, { ...source.messages[each.number - 1]!, content }, at)
  })
  yield* noteChanges(source, tree, inOrder)
  const active = tree.nearestKept(source.head)
  const head = inOrder.findLastIndex(({ number }) => number === active) + 1
  const { title, shelf, settings } = source
  return { title, shelf, settings, messages, head }
}

/** A message as it goes out on one path, or on several. */
interface Placed {
  number: number
  parent: Placed | undefined
  /** The blocks as they are in the file. */
  original: readonly SourceBlock[]
  blocks: readonly SourceBlock[]
  reasons: readonly string[]
}

/** The next message to place, behind one that is placed. */
interface Visit {
  number: number
  parent: Placed | undefined
  /** The calls that the reply before it waits for: by the id in the file, the id that goes out. */
  calls: ReadonlyMap<string, string>
  /** Place only the paths on which these calls are answered: a key of `SourceTree.groups`. */
  answered?: string
}

const noCalls: ReadonlyMap<string, string> = new Map()

/** Places the message, once for each set of its calls that the messages after it answer. */
function place(tree: SourceTree, visit: Visit, placed: Placed[]): Visit[] {
  const { number, parent } = visit
  const clean = tree.clean(number)
  const { original } = clean
  if (clean.blocks.length === 0) return placeUnsent(tree, visit, placed)
  if (tree.calls(number).size === 0) {
    const message = { number, parent, original, ...withResultsOf(visit.calls, clean.blocks, clean.reasons) }
    placed.push(message)
    return tree.children(number).map((child) => ({ number: child, parent: message, calls: noCalls }))
  }
  return [...tree.groups(number)].flatMap(([answered, children]) => {
    const ids = JSON.parse(answered) as string[]
    const calls = new Map([...tree.calls(number)].filter(([id]) => ids.includes(id)))
    const message = { number, parent, original, ...withCalls(calls, clean.blocks, clean.reasons) }
    placed.push(message)
    return children.map((child) => ({ number: child, parent: message, calls, answered }))
  })
}

/** A message that never goes out: what follows it answers the reply before it. */
function placeUnsent(tree: SourceTree, { number, parent, calls, answered }: Visit, placed: Placed[]): Visit[] {
  const message = { number, parent, ...tree.clean(number) }
  placed.push(message)
  return tree
    .children(number)
    .filter((child) => answered === undefined || tree.answers(child, calls).has(answered))
    .map((child) => ({ number: child, parent: message, calls, ...(answered !== undefined && { answered }) }))
}

/** A reply with these of its calls, by the ids that go out. */
function withCalls(calls: ReadonlyMap<string, string>, blocks: readonly SourceBlock[], reasons: readonly string[]) {
  const seen = new Set<unknown>()
  const why = [...reasons]
  const kept = blocks.flatMap((source) => {
    const id = source.block.type === 'tool_use' ? (source.block.id as string) : undefined
    if (id === undefined) return [source]
    const sent = calls.get(id)
    if (sent === undefined || seen.has(id))
      why.push(seen.has(id) ? `a second call ${id}` : `call ${id}, which has no result`)
    else if (sent !== id) why.push(`the id of call ${id}, which is ${sent} now`)
    if (sent === undefined || seen.has(id)) return []
    seen.add(id)
    const named = withValidName(source, why)
    return [sent === id ? named : withMember(named, 'id', sent)]
  })
  return { blocks: withoutThinkingAtEnd(kept, why), reasons: why }
}

/** The call with a name that the API accepts: other providers allow dots and more characters. */
function withValidName(source: SourceBlock, why: string[]): SourceBlock {
  const name = source.block.name as string
  const valid = name.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, 128)
  if (valid === name) return source
  why.push(`the name of a call, which is ${valid} now`)
  return withMember(source, 'name', valid)
}

/** A user message with its results of these calls first, one for each, and no others. */
function withResultsOf(calls: ReadonlyMap<string, string>, blocks: readonly SourceBlock[], reasons: readonly string[]) {
  const why = [...reasons]
  const results = new Map<string, SourceBlock>()
  for (const source of blocks.filter(isResult)) {
    const id = source.block.tool_use_id as string
    const sent = calls.get(id)
    if (sent === undefined || results.has(id)) why.push(`a result of call ${id}, which does not wait for it`)
    else results.set(id, sent === id ? source : withMember(source, 'tool_use_id', sent))
  }
  return { blocks: [...results.values(), ...blocks.filter((source) => !isResult(source))], reasons: why }
}

/** Whether the message goes out just as the file has it. */
function isUnchanged(blocks: readonly SourceBlock[], original: readonly SourceBlock[]): boolean {
  return blocks.length === original.length && blocks.every(({ json }, index) => json === original[index]!.json)
}

function* noteChanges(source: SourceConversation, tree: SourceTree, placed: readonly Placed[]): Pausable<void> {
  const reasons = new Map<number, Set<string>>()
  const sent = new Set<number>()
  for (const { number, blocks, reasons: why } of placed) {
    reasons.set(number, new Set([...(reasons.get(number) ?? []), ...why]))
    if (blocks.length > 0) sent.add(number)
    yield
  }
  for (const [index, { line, content }] of source.messages.entries()) {
    yield
    if (content === null) continue
    const why = [...(reasons.get(index + 1) ?? [])].join('; ')
    if (!tree.isKept(index + 1)) line.skipped(`its content is neither text nor a list: ${cutText(content, 40)}`)
    else if (!sent.has(index + 1)) line.skipped(`never sent: ${why || 'it has no content'}`)
    else if (why !== '') line.repaired(`left out or changed: ${why}`)
  }
}

function isResult({ block }: SourceBlock): boolean {
  return block.type === 'tool_result'
}

function recordOf(placed: Placed, numbers: Map<Placed, number>, source: SourceMessage, at: number): MessageRecord {
  const { parent, original, blocks } = placed
  const { role, createdAt, about } = source
  const received = messageJson(role, source.content!)
  checkLevels(received, source.line)
  const sent = isUnchanged(blocks, original) ? received : messageJson(role, contentOf(blocks))
  const json = blocks.length === 0 ? '' : sent
  const record = newRecord({
    number: numbers.get(placed)!,
    parent: parent ? numbers.get(parent)! : 0,
    role,
    createdAt: createdAt || at,
    json,
  })
  return {
    ...record,
    received: json === received ? null : received,
    reply: about === undefined ? null : markUnbilled(JSON.stringify({ message: about })),
  }
}
