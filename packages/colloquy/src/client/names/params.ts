// The parameters as the client's methods take them: the fields of the body, and those that travel as headers.
import type * as body from '../../protocol/types/params.ts'
import type { HeaderParams } from '../request/request.ts'

export interface MessageCreateParams extends body.MessageCreateParams, HeaderParams {}
/** The body of a request without streaming. */
export interface MessageCreateParamsNonStreaming extends body.MessageCreateParamsNonStreaming, HeaderParams {}
/** The body of a request with streaming. */
export interface MessageCreateParamsStreaming extends body.MessageCreateParamsStreaming, HeaderParams {}
/** The body of a request for `messages.stream()`. */
export interface MessageStreamParams extends body.MessageStreamParams, HeaderParams {}
export interface MessageCountTokensParams extends body.MessageCountTokensParams, HeaderParams {}
export type MessageCreateParamsBase = MessageCreateParams

type NonStreaming = MessageCreateParamsNonStreaming
type Streaming = MessageCreateParamsStreaming

export declare namespace MessageCreateParams {
  export type MessageCreateParamsNonStreaming = NonStreaming
  export type MessageCreateParamsStreaming = Streaming
}
