import { decimalUsd } from '../../../protocol/models/jsonable.ts'
import type { ReplyRecord, ReplyTrace } from '../../history/reply-record.ts'
import { idOf } from '../../history/tree.ts'
import { type ConversationMessage, showMessage } from '../../history/view.ts'
import type { MessageRecord } from '../../stores/store.ts'
import type { Plan } from '../plan.ts'
import type { BegunRequest } from '../request/begun.ts'
import type { TurnScope } from '../scope.ts'
import type { MessageJson, StepEndEvent, StepStartEvent, TurnEndEvent } from './turn-event.ts'

export function stepStart(
  conversationId: string,
  { number, parent }: Pick<MessageRecord, 'number' | 'parent'>,
): StepStartEvent {
  return { type: 'step_start', conversationId, messageId: String(number), parentId: idOf(parent) ?? null }
}

/** Tells the readers of a turn that a step has begun. */
export function announce(
  { state, control }: TurnScope,
  { reply, parent }: Pick<BegunRequest, 'reply' | 'parent'>,
  { prefill }: Pick<Plan, 'prefill'>,
): void {
  control.emit({ ...stepStart(state.id, { number: reply, parent }), ...(prefill && { prefill }) })
}

/** The end of a step. The message is parsed when it is read: most turns are not streamed to another program. */
export function stepEnd(record: MessageRecord): StepEndEvent {
  return {
    type: 'step_end',
    get message() {
      return messageJson(showMessage(record))
    },
  }
}

/** The end of a turn whose last reply is recorded. */
export function recordedEnd({ reply }: MessageRecord): TurnEndEvent {
  const { error } = JSON.parse(reply ?? '{}') as ReplyRecord
  const stopped = error?.name === 'APIUserAbortError'
  if (error === undefined || stopped) return { type: 'turn_end', stopped, error: null }
  const { type = 'api_error', message } = error
  return { type: 'turn_end', stopped, error: { type, message, requestId: null } }
}

/** A message as responses contain it. */
export function messageJson({ createdAt, costPicoUsd, trace, ...message }: ConversationMessage): MessageJson {
  const cost = costPicoUsd === undefined ? {} : { costPicoUsd: String(costPicoUsd), costUsd: decimalUsd(costPicoUsd) }
  return { ...message, createdAt: createdAt.toISOString(), ...cost, ...(trace && { timing: timingOf(trace) }) }
}

function timingOf({ events, ms }: ReplyTrace): NonNullable<MessageJson['timing']> {
  const first = events.find(([, type]) => type.endsWith('_delta') && type !== 'message_delta')
  return { firstTextMs: first?.[0] ?? null, totalMs: ms }
}
