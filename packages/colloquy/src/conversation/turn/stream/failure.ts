import { AnthropicError, APIError, APIUserAbortError } from '../../../protocol/types/error.ts'
import { isErrorBody } from '../../../protocol/types/error-response.ts'
import {
  BudgetError,
  ConversationConflictError,
  ConversationExistsError,
  ConversationNotFoundError,
  StoreError,
  SummaryError,
} from '../../errors.ts'
import type { TurnFailure } from './turn-event.ts'

/** Describes an error of a conversation. Errors that are not known keep their text to themselves. */
export function failureOf(error: unknown): TurnFailure {
  const isKnown = error instanceof AnthropicError || error instanceof RangeError
  const requestId = error instanceof APIError ? (error.requestID ?? null) : null
  return { type: typeOf(error), message: isKnown ? messageOf(error) : 'Internal server error', requestId }
}

/** Whether the user stopped the turn. */
export function isStop(error: unknown): boolean {
  return error instanceof APIUserAbortError
}

function messageOf(error: Error): string {
  if (error instanceof StoreError) return `The store of conversations failed: ${error.reason}`
  return error instanceof APIError && isErrorBody(error.error) ? error.error.error.message : error.message
}

/** The API's type, from which a response takes its status. */
function typeOf(error: unknown): string {
  if (error instanceof BudgetError) return 'billing_error'
  if (error instanceof ConversationNotFoundError) return 'not_found_error'
  if (error instanceof ConversationConflictError || error instanceof ConversationExistsError) return 'conflict_error'
  if (error instanceof StoreError || error instanceof SummaryError) return 'api_error'
  // Connection errors and aborts are of this class too, without a type.
  if (error instanceof APIError) return error.type ?? 'api_error'
  return error instanceof AnthropicError || error instanceof RangeError ? 'invalid_request_error' : 'api_error'
}
