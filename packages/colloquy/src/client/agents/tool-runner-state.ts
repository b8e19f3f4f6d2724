import type { Message } from '../../protocol/types/message.ts'
import type {
  MessageCreateParams,
  MessageCreateParamsNonStreaming,
  MessageStreamParams,
  UserMessageParam,
} from '../../protocol/types/params.ts'
import type { ToolUnion } from '../../protocol/types/tool.ts'
import type { CallOptions } from '../../tools/call.ts'
import type { RunnableTool } from '../../tools/runnable.ts'
import type { RequestOptions } from '../request/options.ts'
import type { HeaderParams } from '../request/request.ts'
import type { MessageStream } from '../stream/message-stream.ts'

/** The parameters of a tool runner: those of a request, and how to run the tools. */
export interface ToolRunnerParams
  extends
    Omit<MessageCreateParams, 'tools' | 'stream' | 'thread' | 'compaction'>,
    HeaderParams,
    Pick<CallOptions, 'approve' | 'timeoutMs'> {
  tools?: Array<ToolUnion | RunnableTool>
  /** Whether each step is handed out as a stream instead of a complete message. Default false. */
  stream?: boolean
  /**
   * Whether the server keeps the conversation between requests (a beta), so that each sends only what is new. On a server
   * that cannot, the loop continues without. Default false.
   */
  thread?: boolean
  /** The most requests to send. The loop then ends, even if the last reply calls tools. Default: no limit. */
  max_iterations?: number
}

/** Sends the requests of a tool runner: a client's messages, or a thread. */
export interface ToolRunnerSender {
  create(params: MessageCreateParamsNonStreaming & HeaderParams, options: RequestOptions): PromiseLike<Message>
  stream(params: MessageStreamParams & HeaderParams, options: RequestOptions): MessageStream
}

/** The state that a tool runner and its loop share. */
export interface ToolRunnerState {
  readonly sender: ToolRunnerSender
  params: ToolRunnerParams
  options: RequestOptions
  /** Whether the parameters were changed since the last request. */
  isChanged: boolean
  reply: Promise<Message> | undefined
  /** The results of the reply's tool calls, once they were requested. */
  results: Promise<UserMessageParam | null> | undefined
}

/** A step of the loop: a message, or its stream if the runner streams. */
export type ToolRunnerTurn<Streams extends boolean> = Streams extends true ? MessageStream : Message
