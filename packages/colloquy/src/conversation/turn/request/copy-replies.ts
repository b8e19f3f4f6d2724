import type { MessageContentParam } from '../../../protocol/types/params.ts'
import { ContentError } from '../../errors.ts'
import type { History } from '../../history/history.ts'
import { markUnbilled } from '../../history/reply-record.ts'
import { withoutThinking } from '../../history/sendable.ts'
import { replyMessage } from '../../history/view.ts'
import { paced } from '../../in-slices.ts'
import type { FinishStep, MessageRecord } from '../../stores/store.ts'
import { beginWithRetries } from '../conflict.ts'
import { type Plan, planToSend, type StepInput } from '../plan.ts'
import { replyOf, type ReplyStep, writtenOutcome } from '../reply.ts'
import type { TurnScope } from '../scope.ts'
import { announce, beginRequest } from './begin.ts'
import { keepReply } from './keep.ts'

/** A user message that is to be replaced, and the messages that follow it. */
export interface Rewrite {
  content: MessageContentParam
  /** The history before the message. */
  before: () => Promise<History>
  /** The path after the message. */
  following: readonly MessageRecord[]
}

/**
 * Puts other content in the place of a user message and keeps what follows it: a new branch with the new message and copies
 * of the messages after it, which cost nothing. No request is sent. Copies have no thinking, which the API accepts only after
 * the messages that it was written for.
 */
export async function copyReplies(
  scope: TurnScope,
  input: Omit<StepInput, 'plan'>,
  { content, before, following }: Rewrite,
): Promise<ReplyStep[]> {
  const steps: ReplyStep[] = []
  let questions: MessageRecord[] = []
  const copy = (source: MessageRecord | undefined): Promise<MessageRecord> => {
    const [added, last] = [questions, steps.at(-1)]
    questions = []
    const plan = async (): Promise<Plan> =>
      withQuestions(last === undefined ? planToSend(await before(), content) : await planAfter(scope, last), added)
    return copyReply(scope, { ...input, plan }, source)
  }
  for await (const record of paced(following)) {
    // Nothing of it arrived: the next reply answers its question too.
    if (record.state === 'failed') continue
    if (record.role === 'assistant') steps.push(stepOf(await copy(record)))
    else questions.push(record)
  }
  if (steps.length === 0)
    throw new ContentError('Cannot keep the replies to a message that has none: let the model reply to the new content')
  // Questions without a reply, which `retry()` requests.
  if (questions.length > 0) await copy(undefined)
  return steps
}

function stepOf(record: MessageRecord): ReplyStep {
  return replyOf(record, replyMessage(record)!, {})
}

/** A copy belongs after the copy before it, also if another writer continued the conversation in between. */
async function planAfter({ state }: TurnScope, { messageId }: ReplyStep): Promise<Plan> {
  const parent = Number(messageId)
  return { history: await state.historyTo(parent), messages: [], parent }
}

function withQuestions(plan: Plan, questions: readonly MessageRecord[]): Plan {
  return { ...plan, messages: [...plan.messages, ...questions.map(({ role, json }) => ({ role, json }))] }
}

/** @param source the reply; undefined for one of which nothing arrived. */
async function copyReply(
  scope: TurnScope,
  input: StepInput,
  source: MessageRecord | undefined,
): Promise<MessageRecord> {
  const begun = await beginWithRetries(scope, input.onConflict, async () => {
    const plan = await input.plan()
    const limits = { budget: undefined, limits: undefined }
    const request = await beginRequest(scope, { role: 'assistant', ...plan, limits, ceiling: undefined, user: '' })
    announce(scope, request, plan)
    return request
  })
  const { id } = scope.state
  const { handle } = begun
  const step: FinishStep =
    source === undefined
      ? { id, handle, state: 'failed', json: '', received: null, reply: '{}', at: Date.now() }
      : copyStep({ id, handle }, source, input.settings().model)
  const record = await keepReply(scope, begun, { step })
  scope.control.emit({ type: 'step_end', record })
  return record
}

/** @param model the model of a copy of a message that was imported. */
function copyStep({ id, handle }: Pick<FinishStep, 'id' | 'handle'>, source: MessageRecord, model: string): FinishStep {
  const { json, received, reply } = source
  const sent = json === '' ? '' : withoutThinking(json)
  const original = received ?? json
  if (reply === null || replyMessage(source) === undefined) {
    const { content } = JSON.parse(original) as { content: MessageContentParam }
    return writtenOutcome({ id, handle, content, model }).step
  }
  const state = source.state === 'interrupted' ? 'interrupted' : 'committed'
  return {
    id,
    handle,
    state,
    json: sent,
    received: sent === original ? null : original,
    reply: markUnbilled(reply)!,
    at: Date.now(),
  }
}
