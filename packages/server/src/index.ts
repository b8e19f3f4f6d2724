export type { Access, Caller, NewRequest, Passage } from './access/access.ts'
export type { KeyRecord } from './access/keys/keys.ts'
export type { KeyBudget, KeyLimits, KeySettings } from './access/keys/settings.ts'
export { type Origins, type Server, type ServerOptions, createServer } from './app.ts'
export type { Keys } from './access/auth.ts'
export type { Metrics, ObservedRequest, RequestObserver } from './operate/observer.ts'
export type { FileLimits } from './messages/files/routes.ts'
export type { BatchSettings } from './messages/batches/batch-worker.ts'
export type { PassOnOptions, UpstreamAccount } from './messages/upstream-account.ts'
export type { ThreadSettings } from './messages/threads/threads.ts'
export type { AccessEntry } from './operate/request-log.ts'
export type * from './conversations/api.ts'
export {
  type Admitted,
  type ConversationRoutes,
  type ConversationRoutesOptions,
  conversationRoutes,
} from './conversations/routes.ts'
export { catalogueChoices } from './conversations/json/models.ts'
export type { Routes } from './options.ts'
