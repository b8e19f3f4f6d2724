import { isBilled } from '../../../protocol/models/billing.ts'
import { AnthropicError } from '../../../protocol/types/error.ts'
import type { Message } from '../../../protocol/types/message.ts'
import type { ReplyBuilder } from '../../history/reply-builder.ts'
import { leastSettingsLength, type ReplyRecord, type ReplyTrace } from '../../history/reply-record.ts'
import { toStoredReply } from '../../history/sendable.ts'
import { estimateUsage, noUsage, type ReplyCost, replyCost } from '../../money/ledger.ts'
import type { FinishStep } from '../../stores/store.ts'

/** A reply that has ended: by itself, by an error or by an abort. */
export interface EndedReply {
  /** The conversation's id. */
  id: string
  handle: number
  builder: ReplyBuilder
  /** The error that ended the reply early. */
  error: Error | undefined
  /** How many of the first messages of the path the request left out. Default 0. */
  dropped?: number
  /** The length of the settings of the request, as JSON. Default: unknown. */
  settingsLength?: number | undefined
  /** Default none. */
  trace?: ReplyTrace | undefined
  /** Whether the turn continues after the reply by itself. */
  continuesAfter?: ((reply: Message) => boolean) | undefined
}

export interface ReplyOutcome {
  /** Writes the end of the reply to the store. */
  step: FinishStep
  /** Undefined if nothing arrived. */
  message: Message | undefined
  /** The record in `step.reply`, unless it is not at hand. It shares no object that a caller gets. */
  about?: ReplyRecord | undefined
  cost: ReplyCost | undefined
  error: Error | undefined
}

/** How a reply that has ended is recorded: with what may be sent back, what arrived, and what it used. */
export function outcomeOf(ended: EndedReply): ReplyOutcome {
  const { id, handle, builder, error, dropped = 0, settingsLength = 0, trace, continuesAfter } = ended
  const { message, isWhole, blocks } = builder
  const kept = toStoredReply(blocks, isWhole ? message?.stop_reason : undefined)
  const hasArrived = kept.json !== '' || kept.received !== null
  const state = isWhole ? 'committed' : hasArrived ? 'interrupted' : 'failed'
  const record: ReplyRecord = {}
  let cost: ReplyCost | undefined
  if (message !== undefined) {
    // A copy, as the caller gets the message and may change its usage.
    const usage = isWhole ? { ...message.usage } : estimateUsage(message.usage, builder.arrived)
    const isFree = isWhole && !isBilled(message)
    cost = replyCost({ usage: isFree ? noUsage : usage, model: message.model }, !isWhole)
    const head: NonNullable<ReplyRecord['message']> & { content?: unknown } = { ...message }
    head.content = undefined
    head.usage = usage
    record.message = head
    record.cost_pico_usd = cost === undefined ? null : Number(cost.picoUsd)
    if (isFree) record.unpaid = true
    if (!isWhole) record.estimated = true
    else if (continuesAfter?.(message)) record.continues = true
  }
  const { continues } = record
  if (dropped > 0) record.dropped = dropped
  if (settingsLength >= leastSettingsLength) record.settings = settingsLength
  if (trace !== undefined) record.trace = trace
  if (error !== undefined) record.error = describe(error)
  return {
    step: { id, handle, state, ...kept, reply: JSON.stringify(record), continues, at: Date.now() },
    message,
    about: record,
    cost,
    error,
  }
}

function describe(error: Error): NonNullable<ReplyRecord['error']> {
  const type = error instanceof AnthropicError && 'type' in error ? error.type : undefined
  return { name: error.name, message: error.message, ...(typeof type === 'string' ? { type } : {}) }
}
