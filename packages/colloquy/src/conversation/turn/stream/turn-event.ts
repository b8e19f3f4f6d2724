import type { MessageStreamEvent } from '../../../protocol/types/event.ts'
import type { ContentBlock } from '../../../protocol/types/message.ts'
import type { ConversationMessage } from '../../history/view.ts'

/**
 * An event of a turn's stream: those of the API, each step between a `step_start` and a `step_end`, and a `turn_end` at the
 * end. A turn without tools has one step.
 */
export type TurnEvent = StepStartEvent | MessageStreamEvent | StepEndEvent | TurnEndEvent

/** A step has begun: its question is stored, and its reply has a place in the conversation. */
export interface StepStartEvent {
  type: 'step_start'
  conversationId: string
  /** The reply's id in the conversation. */
  messageId: string
  /** The message that the reply answers; null at the beginning. */
  parentId: string | null
  /** The beginning of the reply, if it continues an earlier one. The events add to it. */
  prefill?: readonly ContentBlock[]
}

/** A step has ended, and its reply is recorded: complete, or the part that arrived. It replaces what arrived before. */
export interface StepEndEvent {
  type: 'step_end'
  message: MessageJson
}

/** The turn has ended. The last event. */
export interface TurnEndEvent {
  type: 'turn_end'
  /** Whether the user stopped the turn, which keeps the part that had arrived. */
  stopped: boolean
  /** The error that ended the turn early; null if it was stopped or is complete. */
  error: TurnFailure | null
}

/** An error as a stream tells it. */
export interface TurnFailure {
  /** The API's type, such as `overloaded_error`; for other errors `api_error`. */
  type: string
  message: string
  /** The id that the API gave to the request; null if it gave none. */
  requestId: string | null
}

/** A message of a conversation in JSON: dates and amounts are strings. */
export interface MessageJson extends Omit<ConversationMessage, 'createdAt' | 'costPicoUsd' | 'trace'> {
  /** RFC 3339. */
  createdAt: string
  /** The cost in picodollars, as a decimal integer. Absent if the model has no known price. */
  costPicoUsd?: string
  /** The same amount in dollars, such as `0.00315`. */
  costUsd?: string
  /** How long a reply took, in milliseconds, if its trace was kept. Null: no text arrived. */
  timing?: { firstTextMs: number | null; totalMs: number }
}
