import type { Message } from '../../protocol/types/message.ts'
import type { MessageCreateParamsNonStreaming, MessageParam, MessageStreamParams } from '../../protocol/types/params.ts'
import type { ParseableParams } from '../../protocol/json/parsed-message.ts'
import type { ToolUnion } from '../../protocol/types/tool.ts'
import type { Runnable } from '../../tools/runnable.ts'
import type { AgentClient } from './tool-runner-state.ts'
import type { RequestOptions } from '../request/options.ts'
import type { HeaderParams } from '../request/request.ts'
import type { Cancellable } from '../request/cancellation.ts'
import type { WithResponse } from '../request/response.ts'
import type { MessageEvents } from '../stream/events/message-events.ts'

/** The parameters that a thread keeps between turns: all but the messages. */
export interface ThreadFields extends Omit<ParseableParams, 'messages' | 'stream' | 'thread' | 'tools'>, HeaderParams {
  tools?: Array<ToolUnion | Runnable>
}

/**
 * How to handle a server that keeps no threads: throw its error, or send this turn and every later one with the whole
 * history. Default `error`.
 */
export type UnsupportedRequestBehavior = 'error' | 'continue_unthreaded'

/** Parameters of `beta.messages.thread()`. */
export interface ThreadParams extends ThreadFields {
  /** The conversation so far, which the first turn sends. */
  messages?: MessageParam[]
  unsupportedRequestBehavior?: UnsupportedRequestBehavior
}

/** A message, or a reply as it was received. */
export type ThreadMessage = MessageParam | Message

export type ThreadInput = ThreadMessage | readonly ThreadMessage[]

/** The promise of a reply, which can also return the response that carried it. The reply is read in any case. */
export interface ReplyPromise<Reply> extends Promise<Reply> {
  asResponse(): Promise<Response>
  withResponse(): Promise<WithResponse<Reply>>
}

/** Sends the requests of a thread. `client.beta.messages` is one. */
export interface ThreadSender {
  readonly client: AgentClient
  create(params: MessageCreateParamsNonStreaming & HeaderParams, options: RequestOptions): ReplyPromise<Message>
  events(params: MessageStreamParams & HeaderParams, options: RequestOptions): PromiseLike<MessageEvents> & Cancellable
}

/** The request of a tool runner over a thread: all parameters and the whole conversation. */
export type RunnerRequest = ThreadFields & { messages: MessageParam[] }

export function toParam(message: ThreadMessage): MessageParam {
  return 'id' in message ? { role: message.role, content: message.content } : message
}
