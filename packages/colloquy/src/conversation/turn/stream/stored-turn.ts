import type { ReplyRecord } from '../../history/reply-record.ts'
import { isUnfinished } from '../../history/tree.ts'
import type { ConversationStore, MessageRecord, TreeNode } from '../../stores/store.ts'
import { readJournal } from '../request/journal.ts'
import { openRecovered } from '../request/recovery.ts'
import { recordedEnd, stepEnd, stepStart } from './step-events.ts'
import type { TurnEvent } from './turn-event.ts'

/** How often the store is read for more of a reply that another process receives. */
const pollMs = 100

/**
 * The events of a turn from a reply on, as the store has them: of a reply that another process receives, as they are written
 * to its journal; of one that has ended, the recorded message. Ends without an event if the reply does not exist.
 */
export async function* storedTurn(store: ConversationStore, id: string, reply: number): AsyncGenerator<TurnEvent> {
  for (let number = reply; ;) {
    const [begun] = await store.read(id, [number])
    if (begun === undefined) return
    yield stepStart(id, begun)
    yield* journalled(store, id, begun)
    const [ended] = await store.read(id, [number])
    if (ended === undefined) return
    yield stepEnd(ended)
    const next = await nextStep(store, id, ended)
    if (next === undefined) return void (yield recordedEnd(ended))
    number = next
  }
}

/** The events of the journal, until the reply has ended. */
async function* journalled(
  store: ConversationStore,
  id: string,
  { number, state }: MessageRecord,
): AsyncGenerator<TurnEvent> {
  if (!isUnfinished(state)) return
  for (let part = 0; ;) {
    const received = await store.received(id, number, part)
    if (received === undefined) return
    part += received.parts.length
    yield* readJournal(received.parts)
    if (received.abandoned) return void (await openRecovered(store, id))
    await sleep(pollMs)
  }
}

/** The number of the reply that continues a turn; undefined if the turn is over. */
async function nextStep(
  store: ConversationStore,
  id: string,
  { number, reply }: MessageRecord,
): Promise<number | undefined> {
  const { continues } = JSON.parse(reply ?? '{}') as ReplyRecord
  while (continues) {
    const { unfinished } = await openRecovered(store, id, { messages: false })
    const next = replyAfter(await store.tree(id), number)
    if (next !== undefined) return next
    // The tools run as long as the reply has a lease.
    if (!unfinished.some((each) => each.number === number)) return undefined
    await sleep(pollMs)
  }
  return undefined
}

/** The number of the first reply after another one, directly or after the results of its calls. */
function replyAfter(nodes: readonly TreeNode[], number: number): number | undefined {
  const results = nodes.filter(({ parent, role }) => parent === number && role === 'user')
  const parents = new Set([number, ...results.map((node) => node.number)])
  return nodes.find(({ parent, role }) => parents.has(parent) && role === 'assistant')?.number
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
