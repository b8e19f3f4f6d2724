import type { VNode } from 'preact'
import type { MessageJson } from 'colloquy/conversation/reader'
import { visibleText } from '../../../format.ts'
import { errorTitles } from './error-titles.ts'

/** The error that ended a reply early, as it is recorded with the reply. */
export function ReplyFailure({ type = '', message }: NonNullable<MessageJson['error']>): VNode {
  return (
    <p class="failure">
      <strong>{errorTitles[type] ?? 'The reply failed'}</strong>: {visibleText(reasonOf(message))}
    </p>
  )
}

/** The error that ended a reply. A reply that was stopped has none. */
export function failureOf({ error }: Pick<MessageJson, 'error'>): MessageJson['error'] {
  return error?.name === 'APIUserAbortError' ? undefined : error
}

/** The API's own text of a message such as `529 {"type":"error","error":{…}}`. */
function reasonOf(message: string): string {
  try {
    const body = JSON.parse(message.replace(/^\d{3} /, '')) as { error?: { message?: string } }
    return body.error?.message ?? message
  } catch {
    return message
  }
}
