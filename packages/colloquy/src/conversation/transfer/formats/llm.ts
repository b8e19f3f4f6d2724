import { isObject } from '../../../protocol/json/json-object.ts'
import type { Pausable } from '../../in-slices.ts'
import { contentOf, textBlock } from '../blocks.ts'
import type { ImportNotes } from '../report.ts'
import { aboutReply, objectsIn, type SourceConversation, type SourceMessage, timeIn } from '../source.ts'
import { keysOf, printed } from '../unknown-file.ts'
import { callText, fenced } from './tool-text.ts'

/** A prompt and its response, as `llm logs --json` prints them. */
export interface LoggedResponse {
  conversation_id: string
  conversation_name?: unknown
  prompt?: unknown
  response?: unknown
  system?: unknown
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

/** Older logs leave the zone out. */
function inUtc(time: unknown): unknown {
  return typeof time === 'string' && /T[\d:.]+$/.test(time) ? `${time}Z` : time
}

/** Reads the logged responses of one conversation. Calls of tools and their output become text of the replies. */
export function* readLoggedResponses(
  list: readonly { line: number; value: unknown }[],
  notes: ImportNotes,
): Pausable<SourceConversation> {
  const messages: SourceMessage[] = []
  const responses = list.map(({ value }) => value).filter(isLoggedResponse)
  for (const { line, value } of list) {
    yield
    if (!isLoggedResponse(value)) {
      notes.skipped(line, `${keysOf(value)} among logged responses`)
      continue
    }
    if (Array.isArray(value.attachments) && value.attachments.length > 0) {
      notes.repaired(line, 'attachments are not in the file')
    }
    const about = aboutReply((name) => (name === 'model' ? value.model : undefined))
    const said: [role: string, texts: unknown[]][] = [
      ['user', [value.prompt]],
      ['assistant', replyTexts(value)],
    ]
    for (const [role, texts] of said) {
      const visible = texts.filter((text): text is string => typeof text === 'string' && text.trim() !== '')
      const blocks = visible.map(textBlock)
      if (blocks.length === 0) continue
      const place = { line, role, parent: messages.length, createdAt: timeIn(inUtc(value.datetime_utc)) }
      messages.push({ ...place, content: contentOf(blocks), ...(role === 'assistant' && { about }) })
    }
  }
  const title = responses.map((each) => each.conversation_name).find((name) => typeof name === 'string')
  const system = responses.map((each) => each.system).find((text) => typeof text === 'string' && text.trim() !== '')
  return {
    title,
    settings: system ? { system: system as string } : {},
    messages,
    head: messages.length,
  }
}

/** The texts of a reply: the output of the calls before it, its own, and its calls. */
function replyTexts({ response, tool_calls: calls, tool_results: results }: LoggedResponse): unknown[] {
  return [
    ...objectsIn<Record<string, unknown>>(results).map(({ output }) => fenced(printed(output ?? ''))),
    response,
    ...objectsIn<Record<string, unknown>>(calls).map(({ name, arguments: input }) => callText(name, input)),
  ]
}
