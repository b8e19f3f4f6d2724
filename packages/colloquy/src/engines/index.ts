export { chatCompletions } from './chat-completions/chat-completions.ts'
export type { ChatCompletionsOptions } from './chat-completions/options.ts'
export { type Clock, systemClock } from './clock.ts'
export type { Engine, EngineAttempt, EngineContext } from '../protocol/types/engine.ts'
export { newId } from './id.ts'
export { requestOf } from './request-of.ts'
export { inPieces } from './pieces.ts'
export { base64Bytes, documentPages, imageSize, mediaType, pdfPages } from './prompt/media.ts'
export { type OfflineOptions, offline } from './offline/offline.ts'
export {
  type ScriptEngine,
  type ScriptOptions,
  type ScriptedError,
  type ScriptedMessage,
  type ScriptedReply,
  type ScriptedRequest,
  type Step,
  script,
} from './script.ts'
export { promptPrefixes } from './prompt/cached-prompt.ts'
export type { CacheUsage, PromptPrefixes, UsedEntry } from './prompt/prompt-cache.ts'
export { type TokenRules, countPromptTokens, countTokens } from './prompt/tokens.ts'
export { type UpstreamClient, engineOf, upstream } from './upstream.ts'
export { type WireEnd, WireFault } from './wire-fault.ts'
export type { CassettePort } from './record/cassette.ts'
export { engineFetch } from './record/engine-fetch.ts'
export { type CassetteMode, record, type RecordOptions, type RecordingEngine } from './record/record.ts'
export { routeFinder } from './route/find-route.ts'
export type { FallbackReason } from './route/failure.ts'
export type { Route, RouteOptions, Target } from './route/options.ts'
export { route } from './route/route.ts'
export { BlockWriter } from './reply/block-writer.ts'
export { emptyMessage } from './reply/empty-message.ts'
export { StopSequences } from './reply/stop-sequences.ts'
export { type Piece, ThinkTags } from './reply/think-tags.ts'
