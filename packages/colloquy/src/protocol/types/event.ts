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
 * One event of a streamed message. The order is `message_start`, then for each block
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

/** Any event of a stream: the message's events, keep-alive pings, and the error that ends the stream. */
export type ServerEvent = MessageStreamEvent | PingEvent | ErrorEvent

/** The first event of a stream. */
export interface MessageStartEvent {
  type: 'message_start'
  /** The content is empty and `stop_reason` null. Input counts are final, `output_tokens` is a placeholder. */
  message: Message
}

/** The start of a block. */
export interface ContentBlockStartEvent {
  type: 'content_block_start'
  /** The index of the block in `content`. */
  index: number
  /** An empty block that deltas fill, or a complete one, such as a server tool's result. */
  content_block: ContentBlock
}

/** A piece of a block. */
export interface ContentBlockDeltaEvent {
  type: 'content_block_delta'
  index: number
  delta: ContentBlockDelta
}

/** Ends a block. Not sent for a tool input that `max_tokens` cut off. */
export interface ContentBlockStopEvent {
  type: 'content_block_stop'
  index: number
}

/** Updates the end of the message and its usage. May be sent several times. The counts are totals so far. */
export interface MessageDeltaEvent {
  type: 'message_delta'
  delta: MessageDelta
  usage: MessageDeltaUsage
}

/** The fields of a message that are known at its end. */
export interface MessageDelta {
  stop_reason: StopReason | null
  stop_sequence: string | null
  stop_details?: RefusalStopDetails | null
  container?: Container | null
}

/** Totals so far: each replaces the earlier value. `null` or an absent field keeps it. */
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

/** The last event of a complete stream. */
export interface MessageStopEvent {
  type: 'message_stop'
}

/** A sign of life during silence. */
export interface PingEvent {
  type: 'ping'
}

/** The stream failed after it had begun. The connection closes. */
export type ErrorEvent = ErrorBody

/** A piece of a block, by type. */
export type ContentBlockDelta =
  | TextDelta
  | InputJSONDelta
  | ThinkingDelta
  | SignatureDelta
  | CitationsDelta
  | CompactionDelta
  | Unlisted

/** A piece of text. */
export interface TextDelta {
  type: 'text_delta'
  text: string
}

/** A piece of a tool's input. All pieces together are one JSON text, or empty, which means `{}`. */
export interface InputJSONDelta {
  type: 'input_json_delta'
  partial_json: string
}

/** A piece of thinking. */
export interface ThinkingDelta {
  type: 'thinking_delta'
  thinking: string
  /** Beta: the tokens of this piece, if its text is left out. */
  estimated_tokens?: number | null
}

/** The complete signature, sent once at the end of a thinking block. */
export interface SignatureDelta {
  type: 'signature_delta'
  signature: string
}

/** A citation of the text. */
export interface CitationsDelta {
  type: 'citations_delta'
  citation: TextCitation
}

/** A piece of a compaction, or all of it. */
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
