import type { VNode } from 'preact'
import { connection } from '../../../api/http.ts'
import { visibleText } from '../../../format.ts'
import { focusField } from '../../compose/composer.tsx'
import type { OpenChat } from '../../open-chat.ts'
import type { Failure } from '../../stored-chat.ts'
import { errorTitles } from './error-titles.ts'

/** An error of a turn, in the turn that it belongs to, with what can be done about it. */
export function TurnFailureView({ chat, failure }: { chat: OpenChat; failure: Failure }): VNode {
  const last = chat.messages.value.at(-1)
  // A retry would request another reply to the message before.
  const canRetry = last !== undefined && !failure.kept
  const isLocked = failure.type === 'authentication_error' && connection.value.state === 'locked'
  return (
    <div class="failure" role="alert">
      <p>
        <strong>{isLocked ? 'The session has ended' : (errorTitles[failure.type] ?? 'The turn failed')}</strong>
      </p>
      <p>{visibleText(failure.message)}</p>
      {failure.kept && <p>{failure.kept}</p>}
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
        <button
          type="button"
          class="quiet"
          onClick={() => {
            chat.failure.value = undefined
            focusField()
          }}
        >
          Dismiss
        </button>
      </p>
    </div>
  )
}
