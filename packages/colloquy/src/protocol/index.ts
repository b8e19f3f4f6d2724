export * from './types/resources/batch.ts'
export * from './types/citation.ts'
export * from './types/engine.ts'
export * from './types/error.ts'
export * from './types/event.ts'
export * from './types/message.ts'
export * from './types/resources/model.ts'
export * from './types/resources/page.ts'
export * from './types/params.ts'
export * from './types/server-tools.ts'
export { cutText, oneLine } from './text.ts'
export * from './types/tool.ts'
export * from './types/unlisted.ts'
export * from './codec/accumulate.ts'
// The names that these two had first stay public.
export { attachJson as keepJson, encodeJson, hasAttachedJson as isKept, jsonOf } from './codec/attached-json.ts'
export * from './content/content.ts'
export * from './codec/event-stream.ts'
export * from './codec/parse-json.ts'
export * from './codec/partial-input.ts'
export * from './codec/partial-json.ts'
export * from './codec/replay.ts'
export * from './codec/sse.ts'
export * from './json/json-schema.ts'
export * from './json/near-miss.ts'
export { checkOptionNames } from './json/option-names.ts'
export {
  type OutputFormat,
  type ParseableParams,
  type ParsedMessage,
  type ParsedOf,
  type ParsedTextBlock,
  parseMessage,
} from './json/parsed-message.ts'
export * from './json/schema.ts'
export * from './models/cost.ts'
export * from './models/model-definition.ts'
export * from './models/model-entry.ts'
export * from './models/model-info.ts'
export * from './models/models.ts'
export * from './models/money.ts'
export { type TokenCounts, tokenCounts } from './models/token-counts.ts'
export * from './status.ts'
export { isBlank, isModelOnly, isServerToolBlock, isThinking } from './sendable.ts'
