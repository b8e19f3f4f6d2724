import type { TextCitation } from './citation.ts'
import type { ErrorBody } from './error.ts'
import type {
  CacheCreation,
  Container,
  ContentBlock,
  Message,
  OutputTokensDetails,
  RefusalStopDetails,
  ServerToolUsage,
  StopReason,
  UsageIteration,
} from './message.ts'
import type { Unlisted } from './unlisted.ts'

/**
 * One event of a stream that carries a message, in the order `message_start`, then for each block
 * `content_block_start`, deltas, `content_block_stop`, then `message_delta` and `message_stop`.
 */
export type MessageStreamEvent =
  | MessageStartEvent
  | ContentBlockStartEvent
  | ContentBlockDeltaEvent
  | ContentBlockStopEvent
  | MessageDeltaEvent
  | MessageStopEvent
  | Unlisted

/** Everything a stream may carry: the message's events, keep-alive pings, and the error that ends it. */
export type ServerEvent = MessageStreamEvent | PingEvent | ErrorEvent

export interface MessageStartEvent {
  type: 'message_start'
  /** Content is empty and `stop_reason` null; the input counts are real, `output_tokens` is a placeholder. */
  message: Message
}

export interface ContentBlockStartEvent {
  type: 'content_block_start'
  /** The block's place in `content`. */
  index: number
  /** An empty shell that deltas fill, or a block that is whole already, such as a server tool's result. */
  content_block: ContentBlock
}

export interface ContentBlockDeltaEvent {
  type: 'content_block_delta'
  index: number
  delta: ContentBlockDelta
}

/** Not sent for a tool input that `max_tokens` cut off. */
export interface ContentBlockStopEvent {
  type: 'content_block_stop'
  index: number
}

/** There may be several; the counts are totals so far. */
export interface MessageDeltaEvent {
  type: 'message_delta'
  delta: MessageDelta
  usage: MessageDeltaUsage
}

export interface MessageDelta {
  stop_reason: StopReason | null
  stop_sequence: string | null
  stop_details?: RefusalStopDetails | null
  container?: Container | null
}

/** Totals, to replace what was known, never to add to it. `null` or absent keeps the old value. */
export interface MessageDeltaUsage {
  input_tokens?: number | null
  cache_creation_input_tokens?: number | null
  cache_read_input_tokens?: number | null
  cache_creation?: CacheCreation | null
  output_tokens: number
  output_tokens_details?: OutputTokensDetails | null
  server_tool_use?: ServerToolUsage | null
  iterations?: UsageIteration[] | null
}

export interface MessageStopEvent {
  type: 'message_stop'
}

export interface PingEvent {
  type: 'ping'
}

/** The stream failed after it began; the connection closes. */
export type ErrorEvent = ErrorBody

export type ContentBlockDelta =
  | TextDelta
  | InputJSONDelta
  | ThinkingDelta
  | SignatureDelta
  | CitationsDelta
  | CompactionDelta
  | Unlisted

export interface TextDelta {
  type: 'text_delta'
  text: string
}

/** A piece of a tool's input. The pieces together are one JSON text, or nothing at all, which means `{}`. */
export interface InputJSONDelta {
  type: 'input_json_delta'
  partial_json: string
}

export interface ThinkingDelta {
  type: 'thinking_delta'
  thinking: string
  /** Beta: how many tokens this piece stands for, where its text is left out. */
  estimated_tokens?: number | null
}

/** Comes once, whole, at the end of a thinking block. */
export interface SignatureDelta {
  type: 'signature_delta'
  signature: string
}

export interface CitationsDelta {
  type: 'citations_delta'
  citation: TextCitation
}

export interface CompactionDelta {
  type: 'compaction_delta'
  content: string | null
  encrypted_content?: string | null
}

// The official client's names for the same things.
export type RawMessageStreamEvent = MessageStreamEvent
export type RawMessageStartEvent = MessageStartEvent
export type RawMessageDeltaEvent = MessageDeltaEvent
export type RawMessageStopEvent = MessageStopEvent
export type RawContentBlockStartEvent = ContentBlockStartEvent
export type RawContentBlockDeltaEvent = ContentBlockDeltaEvent
export type RawContentBlockStopEvent = ContentBlockStopEvent
export type RawContentBlockDelta = ContentBlockDelta

export declare namespace RawMessageDeltaEvent {
  export type Delta = MessageDelta
}
