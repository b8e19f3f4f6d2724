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
import { type HeaderParams, toBodyAndOptions } from '../request/request.ts'
import type { MessageEvents } from '../stream/message-events.ts'
import type * as streaming from '../stream/streaming.ts'
import { MessageStream } from '../stream/message-stream.ts'
import type { RequestOptions } from '../request/options.ts'
import { withIds } from '../request/response.ts'
import type { Parse } from '../request/retrying-request.ts'
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
  create(params: MessageCreateParamsNonStreaming & HeaderParams, options?: RequestOptions): APIPromise<Message>
  create(
    params: MessageCreateParamsStreaming & HeaderParams,
    options: RequestOptions & { pings: true },
  ): APIPromise<Stream<MessageStreamEvent | PingEvent>>
  create(
    params: MessageCreateParamsStreaming & HeaderParams,
    options?: RequestOptions,
  ): APIPromise<Stream<MessageStreamEvent>>
  create(
    params: MessageCreateParams & HeaderParams,
    options?: RequestOptions,
  ): APIPromise<Message | Stream<MessageStreamEvent>>
  create(params: MessageCreateParams & HeaderParams, options: RequestOptions = {}): APIPromise<unknown> {
    if (params.stream) return this.events(params, options).map((source) => Stream.over(source))
    const { timeout = this.#client.givenTimeout } = options
    if (options.recover) return this.events(params, options).map(collect)
    if (timeout === undefined && takesLong(params)) {
      const streams = loadStreams()
      return this.#streamed(params, options, async (response, request) =>
        withIds(await (await streams).collectMessage(response, request), response),
      )
    }
    return this.#client.post<Message>('/v1/messages', toBodyAndOptions(params, options))
  }

  /**
   * Asks for one reply and reads the value that its text stands for, by `output_config.format`. A text that does not satisfy
   * the format is an `AnthropicError`.
   */
  parse<const Params extends ParseableParams & HeaderParams>(
    params: Params & { stream?: false },
    options?: RequestOptions,
  ): APIPromise<ParsedMessage<ParsedOf<Params>>> {
    return this.create(params as MessageCreateParamsNonStreaming & HeaderParams, options).map(async (message) => {
      const { parseMessage } = await import('../../protocol/json/parsed-message.ts')
      return parseMessage(message, params)
    })
  }

  /** Asks for one reply and hands it out as it comes: events to loop over or to listen to, and the whole message at the end. */
  stream<const Params extends ParseableParams & HeaderParams>(
    params: Params,
    options: RequestOptions = {},
  ): MessageStream<ParsedOf<Params>> {
    const events = this.events(params as MessageStreamParams & HeaderParams, options)
      .map(async (source) => {
        if (!params.output_config?.format) return source
        const { withParsedOutput } = await import('../stream/parsed-output.ts')
        return withParsedOutput(source, params)
      })
      .suppressUnhandled()
    return new MessageStream(events, events, params.messages)
  }

  /** Counts the prompt as the API would. */
  countTokens(
    params: MessageCountTokensParams & HeaderParams,
    options: RequestOptions = {},
  ): APIPromise<MessageTokensCount> {
    return this.#client.post('/v1/messages/count_tokens', toBodyAndOptions(params, options))
  }

  /** The events of a reply a chunk at a time, which `create` and `stream` hand out. */
  events(params: MessageStreamParams & HeaderParams, options: RequestOptions = {}): APIPromise<MessageEvents> {
    const { recover, pings = false } = options
    const streams = loadStreams()
    const open: Parse<MessageEvents> = async (response, request) =>
      (await streams).openEvents(response, request, { pings })
    const events = this.#streamed(params, options, open)
    if (!recover) return events
    return events.map(async (source) => {
      const { ResumingEvents } = await import('../stream/resume/resuming-events.ts')
      return new ResumingEvents(source, params, recover, (params, failure) =>
        this.#streamed(params, { ...options, totalTimeout: events.remainingMs }, open, failure),
      )
    })
  }

  #streamed<Result>(
    params: MessageStreamParams & HeaderParams,
    options: RequestOptions,
    parse: Parse<Result>,
    failure?: Error,
  ): APIPromise<Result> {
    const { body, ...settled } = toBodyAndOptions(params, options)
    return this.#client.sendRequest(
      { ...settled, method: 'post', path: '/v1/messages', body: { ...body, stream: true } },
      parse,
      failure,
    )
  }
}

/** What only streams need, loaded while the first one is asked for: a program without streams does not pay for it. */
function loadStreams(): Promise<typeof streaming> {
  return import('../stream/streaming.ts')
}

async function collect(source: MessageEvents): Promise<Message> {
  await source.each(() => {})
  return withIds(source.message!, source.response!)
}

/** Longer than this a reply is not waited for in one piece: proxies and load balancers cut silent connections. */
const longestReplySeconds = 600

/** The API's own estimate of the slowest reply: 128,000 tokens an hour. */
function takesLong({ max_tokens }: MessageCreateParams): boolean {
  return (max_tokens * 3600) / 128_000 > longestReplySeconds
}
