// The parameters as the client's methods take them: the fields of the body, and those that travel as headers.
import type * as body from '../../protocol/types/params.ts'
import type { HeaderParams } from '../request/request.ts'

/** The parameters of `messages.create()`. */
export interface MessageCreateParams extends body.MessageCreateParams, HeaderParams {}
/** The parameters of `messages.create()` without streaming. */
export interface MessageCreateParamsNonStreaming extends body.MessageCreateParamsNonStreaming, HeaderParams {}
/** The parameters of `messages.create()` with streaming. */
export interface MessageCreateParamsStreaming extends body.MessageCreateParamsStreaming, HeaderParams {}
/** The parameters of `messages.stream()`. */
export interface MessageStreamParams extends Omit<body.MessageStreamParams, 'output_config'>, HeaderParams {
  output_config?: body.OutputConfig | null
}
/** The parameters of `messages.countTokens()`. */
export interface MessageCountTokensParams extends body.MessageCountTokensParams, HeaderParams {}
export type MessageCreateParamsBase = MessageCreateParams

type NonStreaming = MessageCreateParamsNonStreaming
type Streaming = MessageCreateParamsStreaming

export declare namespace MessageCreateParams {
  /** The parameters of `messages.create()` without streaming. */
  export type MessageCreateParamsNonStreaming = NonStreaming
  /** The parameters of `messages.create()` with streaming. */
  export type MessageCreateParamsStreaming = Streaming
}
