import type { ConversationStore } from '../../stores/store.ts'
import { openRecovered } from '../request/recovery.ts'
import type { Turn } from '../turn.ts'
import { eventsAfter } from './events-after.ts'
import { decodePosition, type Position } from './position.ts'
import { placeIn, turnResponse, type TurnResponseOptions } from './response.ts'
import type { RunningTurns } from './running-turns.ts'
import { storedTurn } from './stored-turn.ts'
import type { TurnEvent } from './turn-event.ts'

/** The turns of this process, and the store in which those of other processes are found. */
interface Places {
  store: ConversationStore
  turns: RunningTurns
}

/** Answers with the turn in flight, or with the end of the turn of the client's last event; with 204 if there is neither. */
export async function resumeTurn(places: Places, id: string, options: TurnResponseOptions): Promise<Response> {
  const place = placeIn(options.request)
  const events = await findTurn(places, id, place)
  return events === undefined ? new Response(null, { status: 204 }) : turnResponse(events, options)
}

/** The events of the turn in flight after the one with the id, or of the turn to which that event belonged. */
export async function* followTurn(
  places: Places,
  id: string,
  lastEventId: string | undefined,
): AsyncGenerator<TurnEvent> {
  const place = lastEventId === undefined ? undefined : decodePosition(lastEventId)
  const events = await findTurn(places, id, place)
  if (events === undefined) return
  for await (const { event } of eventsAfter(events, place)) yield event
}

/** Stops the turns of a conversation, in whichever process they run, and waits until their replies are recorded. */
export async function stopTurns({ store, turns }: Places, id: string): Promise<boolean> {
  const own = turns.of(id)
  for (const turn of own) turn.abort()
  await Promise.allSettled(own)
  const others = await store.stop(id)
  for (const number of others) await ended(store, id, number)
  return own.length > 0 || others.length > 0
}

/** How long `stopTurns` waits for another process, and how often it looks. */
const patienceMs = 5_000
const pollMs = 50

async function ended(store: ConversationStore, id: string, number: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += pollMs) {
    const opened = await store.open(id, { messages: false })
    if (!opened?.unfinished.some((reply) => reply.number === number)) return
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

/** The turn of a place, or without one the newest turn that runs. */
async function findTurn(
  { store, turns }: Places,
  id: string,
  place: Position | undefined,
): Promise<AsyncIterable<TurnEvent> | undefined> {
  const own = turns.of(id)
  const turn = place === undefined ? own.at(-1) : own.find((each) => isIn(each, place))
  if (turn !== undefined) return turn.stream
  const { conversation, unfinished } = await openRecovered(store, id, { messages: false, turns })
  if (place === undefined) {
    const isRunning = unfinished.some(({ number }) => number === conversation.head)
    return isRunning ? storedTurn(store, id, conversation.head) : undefined
  }
  const [reply] = await store.read(id, [Number(place.reply)])
  return reply?.role === 'assistant' ? storedTurn(store, id, reply.number) : undefined
}

function isIn(turn: Turn, { reply }: Position): boolean {
  return turn.replies.includes(reply)
}
