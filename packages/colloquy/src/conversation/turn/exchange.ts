import type { Engine, EngineContext } from '../../protocol/types/engine.ts'
import { AnthropicError, APIConnectionError } from '../../protocol/types/error.ts'
import type { Message } from '../../protocol/types/message.ts'
import type { MessageCreateParams } from '../../protocol/types/params.ts'
import { Journal } from './journal.ts'
import { estimateUsage, type ReplyCost, replyCost } from '../money/ledger.ts'
import type { ReplyRecord } from '../history/reply-record.ts'
import type { ReplyBuilder } from '../history/reply-builder.ts'
import { keepReply } from '../history/sendable.ts'
import type { ConversationStore, FinishStep } from '../stores/store.ts'
import { abortError, type TurnControl } from './turn.ts'

export interface Exchange {
  engine: Engine
  params: MessageCreateParams
  context: EngineContext
  store: ConversationStore
  /** The conversation's id. */
  id: string
  handle: number
  /** Empty, or with the beginning of the reply where this one continues it. */
  builder: ReplyBuilder
  journalMs: number
  /** How many of the first messages of the path are not in the request. */
  dropped: number
}

export interface Exchanged {
  end: FinishStep
  message: Message | undefined
  cost: ReplyCost | undefined
  /** What stopped the reply before its end. */
  error: Error | undefined
}

/** Asks the engine, journals and publishes what arrives, and says what is to be kept of it. Never throws. */
export async function exchange(asked: Exchange, control: TurnControl): Promise<Exchanged> {
  const { store, id, handle, builder, journalMs, dropped } = asked
  let unwritten: { error: unknown } | undefined
  // A reply that cannot be kept is not worth its price.
  const journal = new Journal(store, { handle, intervalMs: journalMs }, (error) => {
    unwritten ??= { error }
    control.abort(error)
  })
  let error: Error | undefined
  const reading: Reading = { isOver: false }
  try {
    await Promise.race([receive(asked, control, journal, reading), control.left])
  } catch (caught) {
    if (!builder.isWhole) error = control.signal.aborted ? abortError(caught) : asError(caught)
  }
  reading.isOver = true
  await journal.close()
  if (error !== undefined && unwritten !== undefined) error = asError(unwritten.error)
  return { ...endOf({ id, handle, builder, error, dropped }), error }
}

interface Reading {
  /** Whatever the engine still says comes too late. */
  isOver: boolean
}

async function receive(
  { engine, params, context, builder }: Exchange,
  control: TurnControl,
  journal: Journal,
  reading: Reading,
): Promise<void> {
  const { signal } = control
  signal.throwIfAborted()
  for await (const event of engine(params, { ...context, signal })) {
    if (reading.isOver) return
    if (event.type === 'ping') continue
    builder.push(event)
    journal.push(event)
    control.publish(event)
    // Whatever the engine does now, the message is whole.
    if (builder.isWhole) return
    signal.throwIfAborted()
  }
  throw new APIConnectionError({ message: 'The reply ended before it was whole: found no message_stop.' })
}

interface Received extends Pick<Exchange, 'id' | 'handle' | 'builder'> {
  error: Error | undefined
  dropped?: number
}

/** How a reply is kept that ended, by itself or by an error. */
export function endOf({ id, handle, builder, error, dropped = 0 }: Received): Omit<Exchanged, 'error'> {
  const { message, isWhole, blocks } = builder
  const kept = keepReply(blocks, isWhole ? message?.stop_reason : undefined)
  const arrived = kept.json !== '' || kept.received !== null
  const state = isWhole ? 'committed' : arrived ? 'interrupted' : 'failed'
  const record: ReplyRecord = {}
  let cost: ReplyCost | undefined
  if (message !== undefined) {
    const { content: _, ...head } = message
    const usage = isWhole ? head.usage : estimateUsage(head.usage, builder.arrived)
    cost = replyCost({ usage, model: head.model }, !isWhole)
    record.message = { ...head, usage }
    record.cost_pico_usd = cost === undefined ? null : Number(cost.picoUsd)
    if (!isWhole) record.estimated = true
  }
  if (dropped > 0) record.dropped = dropped
  if (error !== undefined) record.error = describe(error)
  return { end: { id, handle, state, ...kept, reply: JSON.stringify(record), at: Date.now() }, message, cost }
}

function describe(error: Error): NonNullable<ReplyRecord['error']> {
  const type = error instanceof AnthropicError && 'type' in error ? error.type : undefined
  return { name: error.name, message: error.message, ...(typeof type === 'string' ? { type } : {}) }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown })
}
