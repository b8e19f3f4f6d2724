import type { MessageStreamEvent, PingEvent } from '../../protocol/types/event.ts'
import type { Message } from '../../protocol/types/message.ts'
import type {
  MessageCountTokensParams,
  MessageCreateParams,
  MessageCreateParamsNonStreaming,
  MessageCreateParamsStreaming,
  MessageStreamParams,
  MessageTokensCount,
} from '../../protocol/types/params.ts'
import type { ParseableParams, ParsedMessage, ParsedOf } from '../../protocol/json/parsed-message.ts'
import type { APIPromise } from '../request/api-promise.ts'
import type { ResourceClient } from './resource-client.ts'
import { Batches } from './batches.ts'
import { type CallParams, bodyAndOptions } from '../request/call-params.ts'
import type * as eventSource from '../stream/event-source.ts'
import { MessageStream } from '../stream/message-stream.ts'
import type { RequestOptions } from '../request/options.ts'
import { withIds, type Parse } from '../request/reply.ts'
import { Stream } from '../stream/stream.ts'

/** `client.messages` */
export class Messages {
  readonly batches: Batches
  readonly #client: ResourceClient

  constructor(client: ResourceClient) {
    this.#client = client
    this.batches = new Batches(client)
  }

  /**
   * Asks for one reply: a `Message`, or with `stream: true` its events. A reply that could take longer than ten minutes is
   * streamed underneath and still comes whole, unless `timeout` is given.
   */
  create(params: MessageCreateParamsNonStreaming & CallParams, options?: RequestOptions): APIPromise<Message>
  create(
    params: MessageCreateParamsStreaming & CallParams,
    options: RequestOptions & { pings: true },
  ): APIPromise<Stream<MessageStreamEvent | PingEvent>>
  create(
    params: MessageCreateParamsStreaming & CallParams,
    options?: RequestOptions,
  ): APIPromise<Stream<MessageStreamEvent>>
  create(
    params: MessageCreateParams & CallParams,
    options?: RequestOptions,
  ): APIPromise<Message | Stream<MessageStreamEvent>>
  create(params: MessageCreateParams & CallParams, options: RequestOptions = {}): APIPromise<unknown> {
    if (params.stream) return this.events(params, options).map((source) => Stream.over(source))
    const { timeout = this.#client.givenTimeout } = options
    if (options.recover) return this.events(params, options).map(collect)
    if (timeout === undefined && takesLong(params)) {
      const streams = loadStreams()
      return this.#streamed(params, options, async (call, reply) => (await streams).collectMessage(call, reply))
    }
    return this.#client.post<Message>('/v1/messages', bodyAndOptions(params, options))
  }

  /**
   * Asks for one reply and reads the value that its text stands for, by `output_config.format`. A text that does not satisfy
   * the format is an `AnthropicError`.
   */
  parse<const Params extends ParseableParams & CallParams>(
    params: Params & { stream?: false },
    options?: RequestOptions,
  ): APIPromise<ParsedMessage<ParsedOf<Params>>> {
    return this.create(params as MessageCreateParamsNonStreaming & CallParams, options).map(async (message) => {
      const { parseMessage } = await import('../../protocol/json/parsed-message.ts')
      return parseMessage(message, params)
    })
  }

  /** Asks for one reply and hands it out as it comes: events to loop over or to listen to, and the whole message at the end. */
  stream<const Params extends ParseableParams & CallParams>(
    params: Params,
    options: RequestOptions = {},
  ): MessageStream<ParsedOf<Params>> {
    const events = this.events(params as MessageStreamParams & CallParams, options)
      .map(async (source) => {
        if (!params.output_config?.format) return source
        const { parsedEvents } = await import('../stream/parsed-events.ts')
        return parsedEvents(source, params)
      })
      .quietly()
    return new MessageStream(events, events, params.messages)
  }

  /** Counts the prompt as the API would. */
  countTokens(
    params: MessageCountTokensParams & CallParams,
    options: RequestOptions = {},
  ): APIPromise<MessageTokensCount> {
    return this.#client.post('/v1/messages/count_tokens', bodyAndOptions(params, options))
  }

  /** The events of a reply a chunk at a time, which `create` and `stream` hand out. */
  events(params: MessageStreamParams & CallParams, options: RequestOptions = {}): APIPromise<eventSource.EventSource> {
    const { recover, pings = false } = options
    const streams = loadStreams()
    const open: Parse<eventSource.EventSource> = async (call, reply) => (await streams).openEvents(call, reply, pings)
    const events = this.#streamed(params, options, open)
    if (!recover) return events
    return events.map(async (source) => {
      const { RecoveringEvents } = await import('../stream/recover.ts')
      return new RecoveringEvents(source, params, recover, (params, failure) =>
        this.#streamed(params, { ...options, totalTimeout: events.remainingMs }, open, failure),
      )
    })
  }

  #streamed<Result>(
    params: MessageStreamParams & CallParams,
    options: RequestOptions,
    parse: Parse<Result>,
    failure?: Error,
  ): APIPromise<Result> {
    const { body, ...settled } = bodyAndOptions(params, options)
    return this.#client.request(
      { ...settled, method: 'post', path: '/v1/messages', body: { ...body, stream: true } },
      parse,
      failure,
    )
  }
}

/** What only streams need, loaded while the first one is asked for: a program without streams does not pay for it. */
function loadStreams(): Promise<typeof eventSource> {
  return import('../stream/event-source.ts')
}

async function collect(source: eventSource.EventSource): Promise<Message> {
  await source.each(() => {})
  return withIds(source.message!, source.reply!)
}

/** Longer than this a reply is not waited for in one piece: proxies and load balancers cut silent connections. */
const longestReplySeconds = 600

/** The API's own estimate of the slowest reply: 128,000 tokens an hour. */
function takesLong({ max_tokens }: MessageCreateParams): boolean {
  return (max_tokens * 3600) / 128_000 > longestReplySeconds
}
