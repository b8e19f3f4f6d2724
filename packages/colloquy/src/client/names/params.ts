// The parameters as the client's methods take them: the fields of the body, and those that travel as headers.
import type * as body from '../../protocol/types/params.ts'
import type { CallParams } from '../request/call-params.ts'

export interface MessageCreateParams extends body.MessageCreateParams, CallParams {}
export interface MessageCreateParamsNonStreaming extends body.MessageCreateParamsNonStreaming, CallParams {}
export interface MessageCreateParamsStreaming extends body.MessageCreateParamsStreaming, CallParams {}
export interface MessageStreamParams extends body.MessageStreamParams, CallParams {}
export interface MessageCountTokensParams extends body.MessageCountTokensParams, CallParams {}
export type MessageCreateParamsBase = MessageCreateParams

type NonStreaming = MessageCreateParamsNonStreaming
type Streaming = MessageCreateParamsStreaming

export declare namespace MessageCreateParams {
  export type MessageCreateParamsNonStreaming = NonStreaming
  export type MessageCreateParamsStreaming = Streaming
}
