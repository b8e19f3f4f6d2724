export type { CacheReport } from './cache/cache-planner.ts'
export type { Branch } from './branches.ts'
export type { ChangesOptions, ConversationChange } from './collection/changes.ts'
export type { Damage } from './collection/check.ts'
export type { Conversation, ConversationUpdate, EditOptions, SendOptions, TurnOptions } from './conversation.ts'
export { type Conversations, openConversations } from './collection/conversations.ts'
export type { CreateOptions } from './collection/create.ts'
export type { ImportedConversation, ImportOptions } from './collection/import.ts'
export type { ListOptions } from './collection/listing.ts'
export type { ConversationsOptions } from './collection/options.ts'
export {
  BudgetError,
  ContentError,
  ConversationConflictError,
  ConversationExistsError,
  ConversationNotFoundError,
  type LimitName,
  type LimitNumbers,
  StoreError,
  SummaryError,
  type StoreErrorCode,
} from './errors.ts'
export type { Limits } from './money/limits.ts'
export { type MemoryStoreOptions, memoryStore } from './stores/memory/store.ts'
export type { ReplyCost, TotalCost, TotalUsage } from './money/ledger.ts'
export { continueNote } from './history/interruption.ts'
export type { Budget, ConversationSettings, SettingsChanges, Window } from './settings.ts'
export type * from './stores/store.ts'
// The earlier name of the same thing.
export type { Reservation as Hold } from './stores/store.ts'
export type { TurnToolOptions } from './turn/steps.ts'
export type { Reply, ReplyStep, WindowReport, WrittenSummary } from './turn/reply.ts'
export { toErrorResponse, type TurnResponseOptions } from './turn/stream/response.ts'
export { messageJson } from './turn/stream/step-events.ts'
export type { Turn } from './turn/turn.ts'
export type {
  MessageJson,
  StepEndEvent,
  StepStartEvent,
  TurnEndEvent,
  TurnEvent,
  TurnFailure,
} from './turn/stream/turn-event.ts'
export { WindowError } from './window/window.ts'
export type { ImportFormat, ImportNote, ImportReport } from './transfer/report.ts'
export type { ConversationMetadata, GivenMetadata } from './history/metadata.ts'
export type { ConversationMessage, FoundMessage, ListedConversation } from './history/view.ts'
export type { ReplyTrace, TracedEvent } from './history/reply-record.ts'
export type { Exchange } from './preview.ts'
