import { ConversationNotFoundError, StoreError } from '../../errors.ts'
import { ReplyBuilder } from '../../history/reply-builder.ts'
import type {
  ConversationStore,
  FinishStep,
  OpenedConversation,
  OpenOptions,
  UnfinishedReply,
} from '../../stores/store.ts'
import type { RunningTurns } from '../stream/running-turns.ts'
import { outcomeOf } from './finish.ts'
import { readJournal } from './journal.ts'

// Another process may die while its reply is finished here, so try more than once.
const maxTries = 10

/**
 * Opens a conversation. Replies whose process died are finished first, with what their journal has, so that a conversation
 * is always opened in a consistent state.
 *
 * @param options `turns`: those that run in this process.
 */
export async function openRecovered(
  store: ConversationStore,
  id: string,
  { turns, ...options }: OpenOptions & { turns?: RunningTurns } = {},
): Promise<OpenedConversation> {
  for (let tries = 0; tries < maxTries; tries++) {
    const opened = await store.open(id, options)
    if (opened === undefined) throw new ConversationNotFoundError(id)
    // A turn that runs here continues, although a clock that was set forward has ended its lease.
    const isGone = ({ abandoned, number }: UnfinishedReply): boolean => abandoned && !turns?.receives(id, number)
    const abandoned = opened.unfinished.filter(isGone)
    if (abandoned.length === 0) return opened
    for (const reply of abandoned) await endReply(store, id, reply)
  }
  throw new StoreError(
    'failed',
    `Cannot open conversation ${id}: its abandoned replies could not be finished after ${maxTries} attempts`,
  )
}

/**
 * Finishes the abandoned replies that have a reservation, in all conversations of the store. Returns false if there were none.
 */
export async function endAbandoned(store: ConversationStore, turns: RunningTurns): Promise<boolean> {
  const ids = await store.abandonedReservations()
  for (const id of ids) {
    await openRecovered(store, id, { messages: false, turns }).catch((error: unknown) => {
      // Deleted in the meantime; its reservations have been charged.
      if (!(error instanceof ConversationNotFoundError)) throw error
    })
  }
  return ids.length > 0
}

async function endReply(store: ConversationStore, id: string, reply: UnfinishedReply): Promise<void> {
  if (reply.awaitsTools) return void (await store.release(reply.handle))
  try {
    await store.finish(recoveredStep(id, reply))
  } catch (error) {
    // Another process has erased it. Whether the conversation still exists is for the next look to tell.
    if (!(error instanceof ConversationNotFoundError)) throw error
  }
}

function recoveredStep(id: string, { handle, journal }: UnfinishedReply): FinishStep {
  const builder = new ReplyBuilder()
  for (const event of readJournal(journal)) builder.push(event)
  const error = builder.isWhole ? undefined : new Error('The process that received the reply ended before it.')
  return { ...outcomeOf({ id, handle, builder, error }).step, recovering: true }
}
