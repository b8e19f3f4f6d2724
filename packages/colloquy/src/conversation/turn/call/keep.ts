import type { FinishStep, MessageRecord } from '../../stores/store.ts'
import type { TurnScope } from '../scope.ts'
import type { BegunCall } from './call.ts'

/** Records how a call ended: its reply, and what it really cost instead of its reservation. Returns the reply's record. */
export async function keepCall(
  { state, control }: TurnScope,
  begun: BegunCall,
  step: FinishStep,
): Promise<MessageRecord> {
  const { role, parent, at, accounts } = begun
  const number = await state.finish({ ...step, accounts })
  if (role === 'assistant') control.isRecorded = true
  const { json, received, reply } = step
  const record = { number, parent, role, state: step.state, createdAt: at, json, received, reply }
  await state.ended(begun, record)
  return record
}
