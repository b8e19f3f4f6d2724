import type { CompactionParams } from '../../protocol/types/beta/compaction.ts'
import type { Message, ToolUseBlock } from '../../protocol/types/message.ts'
import type {
  MessageCreateParams,
  MessageCreateParamsNonStreaming,
  MessageStreamParams,
  ToolResultBlockParam,
  UserMessageParam,
} from '../../protocol/types/params.ts'
import type { ToolUnion } from '../../protocol/types/tool.ts'
import type { CallOptions } from '../../tools/call.ts'
import type { Runnable, RunnableTool } from '../../tools/runnable.ts'
import type { Log } from '../request/log.ts'
import type { RequestOptions } from '../request/options.ts'
import type { HeaderParams } from '../request/request.ts'
import type { OpenTelemetryOptions } from '../tracing/open-telemetry.ts'
import type { LoopSpan, ToolSpans } from '../tracing/tool-spans.ts'
import type { MessageStream } from '../stream/message-stream.ts'

/** The parameters of a tool runner: those of a request, and how to run the tools. */
export interface ToolRunnerParams
  extends
    Omit<MessageCreateParams, 'tools' | 'stream' | 'thread' | 'compaction'>,
    HeaderParams,
    Pick<CallOptions, 'approve' | 'timeoutMs'> {
  tools?: Array<ToolUnion | Runnable>
  /** Whether each step is handed out as a stream instead of a complete message. Default false. */
  stream?: boolean
  /**
   * Whether the server keeps the conversation between requests (a beta), so that each sends only what is new. On a server
   * that cannot, the loop continues without. Default false.
   */
  thread?: boolean
  /** The most requests to send. The loop then ends, even if the last reply calls tools. Default: no limit. */
  max_iterations?: number
  /**
   * Whether each tool runs as soon as its call has arrived, while the reply still streams. Needs `stream: true`. A tool may
   * then have run although the reply breaks off: hold calls that must not run twice with `deferToolCall()`. Default false.
   */
  runToolsEagerly?: boolean
}

/** The part of the client that threads and tool runners use. */
export interface AgentClient {
  readonly log: Log
  readonly openTelemetry: OpenTelemetryOptions | false | null | undefined
}

/** Sends the requests of a tool runner: a client's messages, or a thread. */
export interface ToolRunnerSender {
  readonly client: AgentClient
  create(params: MessageCreateParamsNonStreaming & HeaderParams, options: RequestOptions): PromiseLike<Message>
  stream(params: MessageStreamParams & HeaderParams, options: RequestOptions): MessageStream
  /** Called with the next request when a summary has replaced the messages. */
  replace?(params: MessageCreateParamsNonStreaming & HeaderParams): void
}

/** A tool that was added, or the name of one that was removed. */
export type ToolChange = RunnableTool | ToolUnion | string

/** The tool calls of a reply whose tools run eagerly, by id: held, or started with a result to come. */
export type EagerCalls = Map<string, 'held' | Promise<ToolResultBlockParam>>

/** The promise of a loop's last message. */
export interface Ending {
  promise: Promise<Message>
  resolve: (message: Message) => void
  reject: (error: unknown) => void
}

/** The state that a tool runner and its loop share. */
export interface ToolRunnerState {
  readonly sender: ToolRunnerSender
  params: ToolRunnerParams
  options: RequestOptions
  /** Every change of the tools, in order. */
  readonly toolChanges: ToolChange[]
  /** How many of the changes the messages contain. Default none. */
  sentToolChanges?: number
  /** Throws for a change of the tools that cannot be made. Set by the first loop. */
  checkTools?: (changes: readonly ToolChange[]) => void
  /** The spans of the tools; undefined if nothing collects them. */
  spans?: ToolSpans | undefined
  loopSpan?: LoopSpan | undefined
  /** Whether a loop runs, or has run to its end. */
  isTaken?: boolean
  ending?: Ending
  /** Whether the parameters were changed since the last request. */
  isChanged?: boolean
  /** The number of requests, without those that compact. */
  iterations?: number
  reply?: Promise<Message> | undefined
  /** The stream of the reply, if the runner streams. */
  stream?: MessageStream | undefined
  /** The results of the reply's tool calls, once they were requested. */
  results?: Promise<UserMessageParam | null> | undefined
  /** The stop reason of the last reply; null after the caller changed the messages. */
  stopReason?: string | null
  /** The compaction that follows this step; `running` while it is requested. */
  compaction?: CompactionParams | 'running' | undefined
  /** Throws if the messages change. Set while they are compacted. */
  checkMessages?: ((params: ToolRunnerParams) => void) | undefined
  /** Undefined between two steps, and unless tools run eagerly. */
  calls?: EagerCalls | undefined
  /** The tool calls of the reply that have arrived, in order, if tools run eagerly. */
  arrivedCalls?: ToolUseBlock[]
}

/** A step of the loop: a message, or its stream if the runner streams. */
export type ToolRunnerTurn<Streams extends boolean> = Streams extends true ? MessageStream : Message
