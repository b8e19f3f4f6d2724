import type { VNode } from 'preact'
import type { OpenChat } from '../open-chat.ts'
import type { Failure } from '../stored-chat.ts'

/** An error of a turn, in the turn that it belongs to, with what can be done about it. */
export function TurnFailureView({ chat, failure }: { chat: OpenChat; failure: Failure }): VNode {
  const last = chat.messages.value.at(-1)
  const canRetry = last !== undefined
  return (
    <div class="failure" role="alert">
      <p>
        <strong>{titles[failure.type] ?? 'The turn failed'}</strong>
      </p>
      <p>{failure.message}</p>
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
