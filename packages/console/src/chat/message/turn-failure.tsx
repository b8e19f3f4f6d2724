import type { VNode } from 'preact'
import { visibleText } from '../../format.ts'
import { connection } from '../../api/http.ts'
import type { PathMessageJson } from '../../api/types.ts'
import type { OpenChat } from '../open-chat.ts'
import type { Failure } from '../stored-chat.ts'

/** An error of a turn, in the turn that it belongs to, with what can be done about it. */
export function TurnFailureView({ chat, failure }: { chat: OpenChat; failure: Failure }): VNode {
  const last = chat.messages.value.at(-1)
  // A retry would request another reply to the message before.
  const canRetry = last !== undefined && !failure.isUnsent
  const isLocked = failure.type === 'authentication_error' && connection.value.state === 'locked'
  return (
    <div class="failure" role="alert">
      <p>
        <strong>{isLocked ? 'The session has ended' : (titles[failure.type] ?? 'The turn failed')}</strong>
      </p>
      <p>{visibleText(failure.message)}</p>
      {failure.isUnsent && <p>Your message was not sent. It is in the field below.</p>}
      {failure.requestId && <p class="soft small">Request {failure.requestId}</p>}
      <p class="row">
        {canRetry && (
          <button
            type="button"
            disabled={chat.isBusy.value}
            onClick={() => void chat.retry(last.role === 'user' ? last.id : last.parentId)}
          >
            Retry
          </button>
        )}
        <button type="button" class="quiet" onClick={() => (chat.failure.value = undefined)}>
          Dismiss
        </button>
      </p>
    </div>
  )
}

/** The error that ended a reply early, as it is recorded with the reply. */
export function ReplyFailure({ type = '', message }: NonNullable<PathMessageJson['error']>): VNode {
  return (
    <p class="failure">
      <strong>{titles[type] ?? 'The reply failed'}</strong>: {visibleText(reasonOf(message))}
    </p>
  )
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

const titles: Record<string, string> = {
  authentication_error: 'The key was refused',
  billing_error: 'The budget does not allow it',
  budget_exceeded: 'The budget is used up',
  conflict_error: 'Another writer was faster',
  connection_error: 'The server cannot be reached',
  invalid_request_error: 'The request is not valid',
  not_found_error: 'Not found',
  overloaded_error: 'The model is overloaded',
  rate_limit_error: 'Too many requests',
  timeout_error: 'It took too long',
}
