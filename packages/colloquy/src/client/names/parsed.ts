// The official names of what `parse()` takes and returns.
import type { OutputFormat, ParseableParams, ParsedMessage, ParsedOf } from '../../protocol/json/parsed-message.ts'

export type {
  OutputFormat,
  ParseableParams,
  ParsedMessage,
  ParsedOf,
  ParsedTextBlock,
} from '../../protocol/json/parsed-message.ts'

export type AutoParseableOutputFormat<Parsed> = OutputFormat<Parsed>
export type AutoParseableBetaOutputFormat<Parsed> = OutputFormat<Parsed>
export type ParseableMessageCreateParams = ParseableParams
export type BetaParseableMessageCreateParams = ParseableParams
export type ParsedBetaMessage<Parsed> = ParsedMessage<Parsed>
/** A block of a parsed message. */
export type ParsedContentBlock<Parsed> = ParsedMessage<Parsed>['content'][number]
export type ParsedBetaContentBlock<Parsed> = ParsedContentBlock<Parsed>
export type ExtractParsedContentFromParams<Params> = ParsedOf<Params>
export type ExtractParsedContentFromBetaParams<Params> = ParsedOf<Params>
