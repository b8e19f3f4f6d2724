import { ConversationNotFoundError, StoreError } from '../errors.ts'
import { endOf } from './exchange.ts'
import { readJournal } from './journal.ts'
import { ReplyBuilder } from '../history/reply-builder.ts'
import type { ConversationStore, FinishStep, OpenedConversation, UnfinishedReply } from '../stores/store.ts'

// While one is ended another process may die, but not for ever.
const maxTries = 10

/**
 * Opens a conversation. Replies whose receiver died are ended first, with what the journal has of them: so what is opened
 * is always consistent, whenever and however the last process ended.
 */
export async function openRecovered(store: ConversationStore, id: string): Promise<OpenedConversation> {
  for (let tries = 0; tries < maxTries; tries++) {
    const opened = await store.open(id)
    if (opened === undefined) throw new ConversationNotFoundError(id)
    const abandoned = opened.unfinished.filter((reply) => reply.abandoned)
    if (abandoned.length === 0) return opened
    for (const reply of abandoned) await store.finish(recoveredEnd(id, reply))
  }
  throw new StoreError('failed', `Cannot open conversation ${id}: replies that were ended ${maxTries} times are not`)
}

/** Ends the replies, of any conversation, whose receivers died and that hold money. False where there were none. */
export async function endAbandoned(store: ConversationStore): Promise<boolean> {
  const ids = await store.abandonedReservations()
  for (const id of ids) {
    await openRecovered(store, id).catch((error: unknown) => {
      // Deleted meanwhile, and what it held is spent.
      if (!(error instanceof ConversationNotFoundError)) throw error
    })
  }
  return ids.length > 0
}

function recoveredEnd(id: string, { handle, journal }: UnfinishedReply): FinishStep {
  const builder = new ReplyBuilder()
  for (const event of readJournal(journal)) builder.push(event)
  const error = builder.isWhole ? undefined : new Error('The process that received the reply ended before it.')
  return { ...endOf({ id, handle, builder, error }).end, recovering: true }
}
