// The names under `Anthropic.Messages.Batches` and, with `Beta`, under `Anthropic.Beta.Messages.Batches`.
import type { MessageBatch } from '../../protocol/types/resources/batch.ts'
import type { PageParams } from '../../protocol/types/resources/page.ts'
import type { HeaderParams } from '../request/request.ts'
import type { Page } from '../resources/page.ts'

export type * from '../../protocol/types/resources/batch.ts'
export type {
  DeletedMessageBatch as BetaDeletedMessageBatch,
  MessageBatch as BetaMessageBatch,
  MessageBatchCanceledResult as BetaMessageBatchCanceledResult,
  MessageBatchErroredResult as BetaMessageBatchErroredResult,
  MessageBatchExpiredResult as BetaMessageBatchExpiredResult,
  MessageBatchIndividualResponse as BetaMessageBatchIndividualResponse,
  MessageBatchRequestCounts as BetaMessageBatchRequestCounts,
  MessageBatchResult as BetaMessageBatchResult,
  MessageBatchSucceededResult as BetaMessageBatchSucceededResult,
} from '../../protocol/types/resources/batch.ts'

export type MessageBatchesPage = Page<MessageBatch>
export type BetaMessageBatchesPage = MessageBatchesPage
/** The parameters of `batches.retrieve()`. */
export type BatchRetrieveParams = HeaderParams
/** The parameters of `batches.list()`. */
export type BatchListParams = PageParams & HeaderParams
/** The parameters of `batches.delete()`. */
export type BatchDeleteParams = HeaderParams
/** The parameters of `batches.cancel()`. */
export type BatchCancelParams = HeaderParams
/** The parameters of `batches.results()`. */
export type BatchResultsParams = HeaderParams
