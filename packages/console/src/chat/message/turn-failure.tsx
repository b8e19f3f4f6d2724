import type { VNode } from 'preact'
import { countText, visibleText } from '../../format.ts'
import { connection } from '../../api/http.ts'
import type { MessageJson } from 'colloquy/conversation/reader'
import type { OpenChat } from '../open-chat.ts'
import { contentOf, textOf } from './content-text.ts'
import type { Failure } from '../stored-chat.ts'

/** An error of a turn, in the turn that it belongs to, with what can be done about it. */
export function TurnFailureView({ chat, failure }: { chat: OpenChat; failure: Failure }): VNode {
  const last = chat.messages.value.at(-1)
  // A retry would request another reply to the message before.
  const canRetry = last !== undefined && !failure.kept
  const isLocked = failure.type === 'authentication_error' && connection.value.state === 'locked'
  return (
    <div class="failure" role="alert">
      <p>
        <strong>{isLocked ? 'The session has ended' : (titles[failure.type] ?? 'The turn failed')}</strong>
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
        <button type="button" class="quiet" onClick={() => (chat.failure.value = undefined)}>
          Dismiss
        </button>
      </p>
    </div>
  )
}

/** The error that ended a reply early, as it is recorded with the reply. */
export function ReplyFailure({ type = '', message }: NonNullable<MessageJson['error']>): VNode {
  return (
    <p class="failure">
      <strong>{titles[type] ?? 'The reply failed'}</strong>: {visibleText(reasonOf(message))}
    </p>
  )
}

/** The error that ended a reply. A reply that the reader stopped has none. */
export function failureOf({ error }: Pick<MessageJson, 'error'>): MessageJson['error'] {
  return error?.name === 'APIUserAbortError' ? undefined : error
}

/** Why a reply ended early, or has nothing to read. */
export function EndNote(message: MessageJson): VNode | undefined {
  const note = message.role === 'assistant' && endNoteOf(message)
  return note ? <p class="stopped">{note}</p> : undefined
}

function endNoteOf(message: MessageJson): string | undefined {
  const { error, state, stopReason, usage } = message
  const hasFailed = failureOf(message) !== undefined
  const wasStopped = error !== undefined && !hasFailed
  if (wasStopped) return textOf(contentOf(message)) === '' ? '■ Stopped before the first word' : '■ Stopped, kept'
  if (state === 'interrupted') return '■ Cut off, kept'
  if (hasFailed) return undefined
  return endNotes[stopReason ?? '']?.(usage?.output_tokens) ?? (message.content.length === 0 ? emptyNote : undefined)
}

const emptyNote = 'The reply is empty.'
const endNotes: Record<string, (tokens: number | undefined) => string> = {
  max_tokens: (tokens = 0) => `Cut off after ${countText(tokens, 'token')}, the longest reply that this chat allows.`,
  model_context_window_exceeded: () => 'Cut off: the context window of the model is full.',
  refusal: () => 'The model refused. Edit your message, or retry with another model.',
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
  api_error: 'The model or its server failed',
  authentication_error: 'The key was refused',
  billing_error: 'The budget or the account does not allow it',
  budget_exceeded: 'The budget is used up',
  conflict_error: 'Another writer was faster',
  connection_error: 'The server cannot be reached',
  invalid_request_error: 'The request is not valid',
  not_found_error: 'Not found',
  overloaded_error: 'The model is overloaded',
  permission_error: 'The key does not allow this',
  rate_limit_error: 'Too many requests',
  request_too_large: 'The request is too large',
  timeout_error: 'It took too long',
}
