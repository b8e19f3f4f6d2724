import { ConversationNotFoundError } from '../../errors.ts'
import type { MessageRecord } from '../../stores/store.ts'
import type { TurnScope } from '../scope.ts'
import type { BegunRequest } from './begun.ts'
import type { ReplyOutcome } from './finish.ts'

/** Records a reply that has ended, and replaces its reservation by the real cost. Returns the reply's record. */
export async function keepReply(
  { state, control, lease }: TurnScope,
  begun: BegunRequest,
  { step, about }: Pick<ReplyOutcome, 'step' | 'about'>,
): Promise<MessageRecord> {
  const { role, parent, at, accounts } = begun
  const end = accounts === undefined ? step : { ...step, accounts }
  let number: number
  try {
    ;({ number } = await state.store.finish(end))
  } catch (error) {
    // If its place was erased meanwhile, no later attempt could record it.
    if (!(error instanceof ConversationNotFoundError)) state.finishes.add(end)
    throw error
  }
  if (role === 'assistant') control.isRecorded = true
  if (step.continues) await lease.hold(begun.handle, number)
  const { json, received, reply } = step
  const record = { number, parent, role, state: step.state, createdAt: at, json, received, reply }
  const refreshed = state.ended(begun, record, about)
  if (refreshed !== undefined) await refreshed
  return record
}
