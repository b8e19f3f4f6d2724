import type { MessageRecord } from '../stores/store.ts'
import { jsonMembers } from './exact/json-members.ts'

/** The user message that asks a model without prefill to continue its reply. */
export const continueNote: string =
  'Your last message was cut off. Continue it exactly where it stopped: repeat nothing and do not mention the interruption.'

/** The user message that asks the model to continue after an empty reply. */
export const pleaseContinue = 'Please continue.'

/** The error of a reply that was stopped because its program closed the conversations, and not by the user. */
export const closedMessage = 'The conversations were closed.'

const continueNotes: readonly string[] = [continueNote, pleaseContinue].map((content) => userJson(content))

/** Whether a message, as JSON, only asks the model to continue. */
export function isContinueNote(json: string): boolean {
  return continueNotes.includes(json)
}

/** A user message of one text, as JSON. */
export function userJson(content: string): string {
  return JSON.stringify({ role: 'user', content })
}

const interruptedNote = JSON.stringify({
  type: 'text',
  text: '(Your previous message was interrupted and is incomplete.)',
})

/**
 * Writes the JSON of a message as it is sent. Before a user message that follows an interrupted reply it adds a note,
 * because the model cannot see that the reply was cut off. The note is not part of the stored message.
 *
 * @param before the record before the message.
 */
export function sentJson({ role, json }: MessageRecord, before: MessageRecord | undefined): string {
  if (role !== 'user' || !isPartialReply(before) || isContinueNote(json)) return json
  const content = jsonMembers(json).get('content')!
  const blocks = content.startsWith('"') ? `{"type":"text","text":${content}}]` : content.slice(1)
  return `{"role":"user","content":[${interruptedNote},${blocks}}`
}

function isPartialReply(record: MessageRecord | undefined): boolean {
  return record?.role === 'assistant' && record.state === 'interrupted' && record.json !== ''
}
