import type { ErrorBody } from '../error.ts'
import type { Message } from '../message.ts'
import type { MessageCreateParams } from '../params.ts'

/** The body of `POST /v1/messages/batches`. */
export interface BatchCreateParams {
  /** At most 100,000, and 256 MB in all. */
  requests: BatchCreateRequest[]
}

export declare namespace BatchCreateParams {
  export type Request = BatchCreateRequest
}

/** One request of a batch. */
export interface BatchCreateRequest {
  /** Unique in the batch: 1 to 64 letters, digits, `_` and `-`. */
  custom_id: string
  params: MessageCreateParams
}

/** A batch of requests, answered within 24 hours at half the price. */
export interface MessageBatch {
  id: string
  type: 'message_batch'
  processing_status: 'in_progress' | 'canceling' | 'ended'
  request_counts: MessageBatchRequestCounts
  /** RFC 3339, like the other times. */
  created_at: string
  expires_at: string
  ended_at: string | null
  cancel_initiated_at: string | null
  archived_at: string | null
  /** An absolute URL; `null` until the batch has ended. */
  results_url: string | null
}

/** How many requests have which state. All count as `processing` until the batch has ended. */
export interface MessageBatchRequestCounts {
  processing: number
  succeeded: number
  errored: number
  canceled: number
  expired: number
}

/** The response to deleting a batch. */
export interface DeletedMessageBatch {
  id: string
  type: 'message_batch_deleted'
}

/** One line of a batch's results. Lines come in any order. */
export interface MessageBatchIndividualResponse {
  custom_id: string
  result: MessageBatchResult
}

/** The outcome of one request of a batch. */
export type MessageBatchResult =
  | MessageBatchSucceededResult
  | MessageBatchErroredResult
  | MessageBatchCanceledResult
  | MessageBatchExpiredResult

/** The reply to one request of a batch. */
export interface MessageBatchSucceededResult {
  type: 'succeeded'
  message: Message
}

/** The error of one request of a batch. */
export interface MessageBatchErroredResult {
  type: 'errored'
  error: ErrorBody
}

/** The batch was cancelled before this request was sent to the model. */
export interface MessageBatchCanceledResult {
  type: 'canceled'
}

/** The batch expired before this request was sent to the model. */
export interface MessageBatchExpiredResult {
  type: 'expired'
}
