import { AnthropicError, APIConnectionError, APIError, APIUserAbortError } from '../../../protocol/types/error.ts'
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

/** An error as a response and a stream tell it: with an HTTP status and a type of the API. */
export interface HttpFailure extends TurnFailure {
  status: number
}

/** Describes an error of a conversation. Errors that are not known keep their text to themselves. */
export function failureOf(error: unknown): HttpFailure {
  const { status, type } = kindOf(error)
  const isKnown = error instanceof AnthropicError || error instanceof RangeError
  const requestId = error instanceof APIError ? (error.requestID ?? null) : null
  return { status, type, message: isKnown ? messageOf(error) : 'Internal server error', requestId }
}

/** Whether the user stopped the turn. */
export function isStop(error: unknown): boolean {
  return error instanceof APIUserAbortError
}

function messageOf(error: Error): string {
  return error instanceof APIError && isErrorBody(error.error) ? error.error.error.message : error.message
}

function kindOf(error: unknown): Pick<HttpFailure, 'status' | 'type'> {
  if (error instanceof BudgetError) return { status: 402, type: 'billing_error' }
  if (error instanceof ConversationNotFoundError) return { status: 404, type: 'not_found_error' }
  if (error instanceof ConversationConflictError || error instanceof ConversationExistsError)
    return { status: 409, type: 'conflict_error' }
  if (error instanceof APIConnectionError) return { status: 502, type: 'api_error' }
  if (error instanceof APIUserAbortError || error instanceof StoreError) return { status: 500, type: 'api_error' }
  if (error instanceof SummaryError) return { status: 502, type: 'api_error' }
  if (error instanceof APIError) return { status: error.status ?? 500, type: error.type ?? 'api_error' }
  const isRefused = error instanceof AnthropicError || error instanceof RangeError
  return isRefused ? { status: 400, type: 'invalid_request_error' } : { status: 500, type: 'api_error' }
}
