import { jsonElements, jsonMembers } from '../../history/exact/json-members.ts'
import { titleOf } from '../../history/view.ts'
import { mapped, type Pausable } from '../../in-slices.ts'
import { type JsonLine, stringOf, valueOf } from '../lines.ts'
import type { Noted, SourceLine } from '../report.ts'
import { aboutReply, type SourceConversation, type SourceMessage } from '../source.ts'
import { printed, timeIn } from '../values.ts'

/**
 * Whether these are the lines of a Claude Code transcript, which are chained by `uuid` and `parentUuid`, or of its output in the
 * format `stream-json`.
 */
export function isClaudeCode(lines: readonly JsonLine[]): boolean {
  return lines.some(({ members }) => {
    return members.has('uuid') && members.has('message') && (members.has('parentUuid') || members.has('session_id'))
  })
}

/**
 * Reads a Claude Code transcript. It has a line for each block of a reply and one for each tool result; results are written
 * while the reply still streams. The lines of a reply become one message again, and so do the results of its calls.
 *
 * A line without a parent, or whose parent is not in the file, follows the line before it. Messages before a compaction stand on a branch of their own.
 */
export function* readClaudeCode(lines: readonly Noted<JsonLine>[]): Pausable<SourceConversation> {
  const entries = yield* entriesOf(lines)
  const reader = new TranscriptReader()
  yield* mapped(entries, (entry) => reader.add(entry))
  const { model } = reader
  const messages = yield* reader.joined()
  return {
    title: titleIn(lines),
    settings: model === undefined ? {} : { model },
    messages,
    isOfApi: true,
    head: leafBelow(lastLine(entries)?.message ?? 0, messages),
  }
}

/** A line that has a place in the chain. */
interface Entry {
  line: SourceLine
  /** The entry that it follows; undefined at the beginning. */
  parent: Entry | undefined
  members: ReadonlyMap<string, string>
  /** The message that the entry is part of, or that it follows: a number. */
  message: number
}

/** The lines of the main conversation with their parents, each once. */
function* entriesOf(lines: readonly Noted<JsonLine>[]): Pausable<Entry[]> {
  const chained: (Noted<JsonLine> & { uuid: string })[] = []
  for (const line of lines) {
    const uuid = stringOf(line.members, 'uuid')
    if (uuid !== undefined) chained.push({ ...line, uuid })
    else if (line.members.has('message')) line.line.skipped('a message without a uuid')
    yield
  }
  // The file of a sub-agent has no main conversation.
  const hasMain = chained.some(({ members }) => members.has('message') && !isSide(members))
  const byUuid = new Map<string, Entry>()
  for (const { line, members, uuid } of chained) {
    if (hasMain && isSide(members)) line.skipped('part of a side conversation')
    else if (byUuid.has(uuid)) line.skipped(`the line with uuid ${uuid} once more`)
    else byUuid.set(uuid, { line, parent: undefined, members, message: 0 })
    yield
  }
  return yield* linked([...byUuid.values()], byUuid)
}

function isSide(members: ReadonlyMap<string, string>): boolean {
  return valueOf(members, 'isSidechain') === true || stringOf(members, 'parent_tool_use_id') !== undefined
}

/** The entries so that each stands behind its parent. */
function* linked(entries: readonly Entry[], byUuid: ReadonlyMap<string, Entry>): Pausable<Entry[]> {
  for (const [index, entry] of entries.entries()) {
    const parentId = stringOf(entry.members, 'parentUuid')
    const parent = parentId === undefined ? undefined : byUuid.get(parentId)
    const isFirst = entry.members.has('parentUuid') && parentId === undefined
    entry.parent = isFirst || parent ? parent : entries[index - 1]
    if (parentId !== undefined && !parent) entry.line.repaired(`its parent ${parentId} is not in the file`)
    yield
  }
  const placed = new Set<Entry>()
  const ordered: Entry[] = []
  for (const entry of entries) {
    for (const each of chainTo(entry, placed)) {
      placed.add(each)
      ordered.push(each)
    }
  }
  return ordered
}

/** The entry behind those of its parents that are not placed yet. A chain that bites its tail begins there. */
function chainTo(entry: Entry, placed: ReadonlySet<Entry>): Entry[] {
  const chain: Entry[] = []
  const seen = new Set<Entry>()
  for (let at: Entry | undefined = entry; at && !placed.has(at); at = at.parent) {
    chain.push(at)
    seen.add(at)
    if (!at.parent || !seen.has(at.parent)) continue
    at.line.repaired('its parents form a circle')
    at.parent = undefined
  }
  return chain.toReversed()
}

function lastLine(entries: readonly Entry[]): Entry | undefined {
  return entries.reduce<Entry | undefined>(
    (last, entry) => (last && last.line.number > entry.line.number ? last : entry),
    undefined,
  )
}

/** The newest message that follows: the last line may belong to a reply whose results came before it. */
function leafBelow(number: number, messages: readonly SourceMessage[]): number {
  const lastChild = new Map(messages.map(({ parent }, index) => [parent, index + 1]))
  let leaf = number
  while (leaf !== 0 && lastChild.has(leaf)) leaf = lastChild.get(leaf)!
  return leaf
}

class TranscriptReader {
  readonly #messages: SourceMessage[] = []
  /** The contents of each message, in the order of their lines. */
  readonly #contents: string[][] = []
  /** By message, the calls whose results it has. */
  readonly #answered: Set<string>[] = []
  /** The model of the last reply. */
  model: string | undefined
  /** By the number of a reply, the number of the message with the results of its calls. */
  readonly #results = new Map<number, number>()
  /** The last message with a reply's id. */
  readonly #byId = new Map<string, number>()

  add(entry: Entry): void {
    const before = entry.parent?.message ?? 0
    entry.message = before
    const json = entry.members.get('message')
    const reason = json === undefined ? undefined : notTaken(entry)
    if (reason !== undefined) entry.line.skipped(reason)
    if (json === undefined || reason !== undefined) return
    const message = messageIn(json)
    if (message === undefined) entry.line.skipped('its message is not an object with a role and content')
    else entry.message = message.role === 'assistant' ? this.#addReply(entry, message) : this.#addOther(entry, message)
  }

  #addReply({ line, members, message: before }: Entry, { content, members: reply }: TranscriptMessage): number {
    const id = stringOf(reply, 'id')
    const about = aboutReply((name) => valueOf(reply, name))
    this.model = stringOf(reply, 'model') ?? this.model
    const known = id === undefined ? undefined : this.#byId.get(id)
    if (known !== undefined && this.#goesOn(known, before)) {
      this.#contents[known - 1]!.push(content)
      this.#messages[known - 1]!.about = about
      return known
    }
    const number = this.#push(
      { line, role: 'assistant', parent: this.#results.get(before) ?? before, content, about },
      members,
    )
    if (id !== undefined) this.#byId.set(id, number)
    return number
  }

  #addOther({ line, members, message: before }: Entry, { role, content }: TranscriptMessage): number {
    const results = resultIds(content)
    const at = results.length > 0 ? this.#resultsAt(before) : undefined
    if (at !== undefined && !results.some((id) => this.#answered[at - 1]!.has(id))) {
      this.#contents[at - 1]!.push(content)
      for (const id of results) this.#answered[at - 1]!.add(id)
      return at
    }
    const parent = results.length > 0 ? this.#replyOf(before) : before
    const number = this.#push({ line, role, parent, content }, members)
    if (results.length > 0) this.#results.set(parent, number)
    for (const id of results) this.#answered[number - 1]!.add(id)
    return number
  }

  #push(message: Omit<SourceMessage, 'createdAt'>, members: ReadonlyMap<string, string>): number {
    this.#messages.push({ ...message, createdAt: timeIn(valueOf(members, 'timestamp')) })
    this.#contents.push([message.content!])
    this.#answered.push(new Set())
    return this.#messages.length
  }

  /** The messages, each with all its contents as one. */
  *joined(): Pausable<SourceMessage[]> {
    return yield* mapped(this.#messages, (message, index) => ({ ...message, content: joined(this.#contents[index]!) }))
  }

  /** Whether a line behind this message can belong to the reply: it follows the reply, its results, or what it followed. */
  #goesOn(reply: number, before: number): boolean {
    return before === reply || before === this.#results.get(reply) || before === this.#messages[reply - 1]!.parent
  }

  /** The reply whose results a line behind this message has. */
  #replyOf(before: number): number {
    const message = this.#messages[before - 1]
    return message !== undefined && this.#results.get(message.parent) === before ? message.parent : before
  }

  #resultsAt(before: number): number | undefined {
    return this.#results.get(this.#replyOf(before))
  }
}

interface TranscriptMessage {
  role: string
  content: string
  members: ReadonlyMap<string, string>
}

function messageIn(json: string): TranscriptMessage | undefined {
  if (!json.startsWith('{')) return undefined
  const members = jsonMembers(json)
  const role = stringOf(members, 'role')
  const content = members.get('content')
  if (content === undefined || (role !== 'user' && role !== 'assistant')) return undefined
  return /^["[]/.test(content) ? { role, content, members } : undefined
}

/** Why the message of a line is not part of the conversation; undefined if it is. */
function notTaken({ members }: Entry): string | undefined {
  const type = valueOf(members, 'type')
  if (type !== 'user' && type !== 'assistant') return `a line of type ${JSON.stringify(type)}`
  if (valueOf(members, 'isApiErrorMessage') === true) return 'an error that the program showed as a reply'
  const model = /"model"\s*:\s*"<synthetic>"/.test(members.get('message')!)
  return model ? 'a notice that the program wrote in place of a reply' : undefined
}

function resultIds(content: string): string[] {
  if (!content.includes('tool_result')) return []
  const blocks = JSON.parse(content) as ({ type?: unknown; tool_use_id?: unknown } | null)[]
  if (!Array.isArray(blocks)) return []
  return blocks.flatMap((block) => (block?.type === 'tool_result' ? [printed(block.tool_use_id)] : []))
}

/** Contents as one: a single one as it is, several as one list of blocks. */
function joined(contents: readonly string[]): string {
  return contents.length === 1 ? contents[0]! : `[${contents.flatMap(listOf).join(',')}]`
}

function listOf(content: string): string[] {
  return content.startsWith('"') ? [`{"type":"text","text":${content}}`] : jsonElements(content)
}

/** The title that the user gave, else the newest that was generated, else the first prompt. */
function titleIn(lines: readonly Pick<JsonLine, 'members'>[]): string | undefined {
  const last = (name: string): string | undefined =>
    lines.map(({ members }) => stringOf(members, name)).findLast((title) => title !== undefined)
  return last('customTitle') ?? last('aiTitle') ?? last('summary') ?? firstPrompt(lines)
}

/** The beginning of the first prompt. Notes of the program and its commands come before it, in messages of the user too. */
function firstPrompt(lines: readonly Pick<JsonLine, 'members'>[]): string | undefined {
  for (const { members } of lines) {
    const json = members.get('message')
    if (json === undefined || valueOf(members, 'isMeta') === true || messageIn(json)?.role !== 'user') continue
    const title = titleOf([{ json }])
    if (title !== undefined && !title.startsWith('<')) return title
  }
  return undefined
}
