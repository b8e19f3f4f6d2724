import { isObject } from '../../../protocol/json/json-object.ts'
import type { Pausable } from '../../in-slices.ts'
import { aboutReply, type ListItem, type SourceConversation } from '../source.ts'
import { isVisible, keysOf, objectsIn, printed, systemIn, timeIn } from '../values.ts'
import { collectEach } from './message-collector.ts'
import { callText, fenced, visibleBlocks } from './texts.ts'

/** A prompt and its response, as `llm logs --json` prints them. */
interface LoggedResponse {
  conversation_id: string
  conversation_name?: unknown
  prompt?: unknown
  /** Texts of files, which are sent before the prompt. Longer ones are cut unless the logs were printed with `--expand`. */
  prompt_fragments?: unknown
  response?: unknown
  system?: unknown
  system_fragments?: unknown
  model?: unknown
  datetime_utc?: unknown
  attachments?: unknown
  tool_calls?: unknown
  tool_results?: unknown
}

export function isLoggedResponse(value: unknown): value is LoggedResponse {
  return isObject(value) && typeof value['conversation_id'] === 'string' && 'prompt' in value && 'response' in value
}

/** The responses by conversation, in the order of the file. */
export function conversationsIn<Logged extends { value: unknown }>(list: readonly Logged[]): Logged[][] {
  const idOf = ({ value }: Logged): string => (isLoggedResponse(value) ? value.conversation_id : '')
  return [...Map.groupBy(list, idOf).values()]
}

/** Reads the logged responses of one conversation. Calls of tools and their output become text of the replies. */
export function* readLoggedResponses(list: readonly ListItem[]): Pausable<SourceConversation> {
  const responses = list.map(({ value }) => value).filter(isLoggedResponse)
  const read = yield* collectEach(list, (messages, { line, value }) => {
    if (!isLoggedResponse(value)) return line.skipped(`${keysOf(value)} among logged responses`)
    if (objectsIn(value.attachments).length > 0) line.repaired('attachments are not in the file')
    const about = aboutReply((name) => (name === 'model' ? value.model : undefined))
    const createdAt = timeIn(inUtc(value.datetime_utc))
    const [prompt, reply] = [
      visibleBlocks(withFragments(value.prompt, value.prompt_fragments)),
      visibleBlocks(replyTexts(value)),
    ]
    if (prompt.length > 0) messages.add({ line, role: 'user', blocks: prompt, createdAt })
    if (reply.length > 0) messages.add({ line, role: 'assistant', blocks: reply, createdAt, about })
  })
  const title = responses.map((each) => each.conversation_name).find((name) => typeof name === 'string')
  const systems = responses.map(({ system, system_fragments: fragments }) => {
    return withFragments(system, fragments).filter(isVisible).join('\n\n')
  })
  return { ...read, title, settings: systemIn(systems.find(isVisible)) }
}

function withFragments(text: unknown, fragments: unknown): unknown[] {
  return [...objectsIn(fragments).map(({ content }) => content), text]
}

/** Older logs leave the zone out. */
function inUtc(time: unknown): unknown {
  return typeof time === 'string' && /T[\d:.]+$/.test(time) ? `${time}Z` : time
}

/** The texts of a reply: the output of the calls before it, its own, and its calls. */
function replyTexts({ response, tool_calls: calls, tool_results: results }: LoggedResponse): unknown[] {
  return [
    ...objectsIn(results).map(({ output }) => fenced(printed(output ?? ''))),
    response,
    ...objectsIn(calls).map(({ name, arguments: input }) => callText(name, input)),
  ]
}
