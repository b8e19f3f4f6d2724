export * from './accumulate.ts'
export * from './batch.ts'
export * from './citation.ts'
export * from './content.ts'
export * from './cost.ts'
export * from './engine.ts'
export * from './error.ts'
export * from './event-stream.ts'
export * from './event.ts'
export * from './json-schema.ts'
export * from './kept-json.ts'
export * from './message.ts'
export * from './model-definition.ts'
export * from './model-entry.ts'
export * from './model-info.ts'
export * from './models.ts'
export * from './money.ts'
export * from './near-miss.ts'
export * from './page.ts'
export * from './params.ts'
export * from './parse-json.ts'
export {
  type OutputFormat,
  type ParseableParams,
  type ParsedMessage,
  type ParsedOf,
  type ParsedTextBlock,
  parseMessage,
} from './parsed-message.ts'
export * from './partial-input.ts'
export * from './partial-json.ts'
export * from './replay.ts'
export * from './schema.ts'
export * from './sse.ts'
export { type TokenCounts, tokenCounts } from './token-counts.ts'
export * from './tool.ts'
export * from './unlisted.ts'
