import { decimalUsd } from '../../../protocol/models/jsonable.ts'
import type { ReplyRecord, ReplyTrace } from '../../history/reply-record.ts'
import { idOf } from '../../history/tree.ts'
import { type ConversationMessage, showMessage } from '../../history/view.ts'
import type { MessageRecord } from '../../stores/store.ts'
import type { MessageJson, StepEndEvent, StepStartEvent, TurnEndEvent } from './turn-event.ts'

export function stepStart(
  conversationId: string,
  { number, parent }: Pick<MessageRecord, 'number' | 'parent'>,
): StepStartEvent {
  return { type: 'step_start', conversationId, messageId: String(number), parentId: idOf(parent) ?? null }
}

export function stepEnd(record: MessageRecord): StepEndEvent {
  return { type: 'step_end', message: messageJson(showMessage(record)) }
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
