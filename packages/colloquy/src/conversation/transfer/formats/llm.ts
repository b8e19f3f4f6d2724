import type { Pausable } from '../../in-slices.ts'
import { contentOf, textBlock } from '../blocks.ts'
import type { ImportNotes } from '../report.ts'
import { aboutReply, type SourceConversation, type SourceMessage, timeIn } from '../source.ts'
import { keysOf } from '../unknown-file.ts'
import { isObject } from './langchain.ts'

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

/** Reads the logged responses of one conversation. */
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
    for (const [role, text] of [['user', value.prompt] as const, ['assistant', value.response] as const]) {
      if (typeof text !== 'string' || text.trim() === '') continue
      const place = { line, role, parent: messages.length, createdAt: timeIn(inUtc(value.datetime_utc)) }
      messages.push({ ...place, content: contentOf([textBlock(text)]), ...(role === 'assistant' && { about }) })
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
