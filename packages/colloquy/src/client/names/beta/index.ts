// The names under `Anthropic.Beta`: those of `Anthropic` once more, each with `Beta` before it. The types are the same.
export type { MessageStream as BetaMessageStream } from '../../stream/message-stream.ts'
export type { ToolRunner as BetaToolRunner } from '../../agents/tool-runner.ts'
export type { ToolRunnerParams as BetaToolRunnerParams } from '../../agents/tool-runner-state.ts'
export type { MessageThread as BetaMessageThread } from '../../agents/thread.ts'
export type { RunnableTool as BetaRunnableTool } from '../../../tools/runnable.ts'
export type { ToolError } from '../../../tools/tool-error.ts'
export type {
  BetaOrganizationNotEnrolledInBetaError,
  BetaRequestBodyTimeoutError,
  BetaUnsupportedCharsetError,
} from '../../request/codes/code-errors.ts'
export type {
  BetaOrganizationNotEnrolledInBetaErrorDetails,
  BetaRequestBodyTimeoutErrorDetails,
  BetaUnsupportedCharsetErrorDetails,
} from '../../request/codes/details.ts'
export type {
  Batches,
  BatchCancelParams,
  BatchCreateParams,
  BatchDeleteParams,
  BatchListParams,
  BatchResultsParams,
  BatchRetrieveParams,
  MessageCountTokensParams,
  MessageCreateParams,
  MessageCreateParamsBase,
  MessageCreateParamsNonStreaming,
  MessageCreateParamsStreaming,
  MessageStreamParams,
  RawMessageDeltaEvent as BetaRawMessageDeltaEvent,
  Tool as BetaTool,
} from '../../types.ts'
export type {
  BetaDeletedMessageBatch,
  BetaMessageBatch,
  BetaMessageBatchCanceledResult,
  BetaMessageBatchErroredResult,
  BetaMessageBatchesPage,
  BetaMessageBatchExpiredResult,
  BetaMessageBatchIndividualResponse,
  BetaMessageBatchRequestCounts,
  BetaMessageBatchResult,
  BetaMessageBatchSucceededResult,
} from '../batches.ts'
export type * from './files.ts'
export type * from './messages.ts'
export type * from './models.ts'
export type * from './renamed.ts'
export type * from './toolsets.ts'
