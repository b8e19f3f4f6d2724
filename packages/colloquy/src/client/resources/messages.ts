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
import { requestObject, type ResourceClient } from './resource-client.ts'
import { Batches } from './batches.ts'
import { type HeaderParams, toBodyAndOptions } from '../request/request.ts'
import type { MessageEvents } from '../stream/events/message-events.ts'
import { loadStreaming, MessageStream } from '../stream/message-stream.ts'
import { uncommonParts } from '../request/prepare.ts'
import { requestTo, type AbortedLoops, type RequestOptions } from '../request/options.ts'
import { withIds } from '../request/response.ts'
import type { Parse } from '../request/retrying-request.ts'
import type { Stream } from '../stream/stream.ts'

/**
 * `client.messages`
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 *
 * const messages = [{ role: 'user' as const, content: 'What is 6 * 7?' }]
 * const request = { model: 'claude-sonnet-4-6', messages }
 * const client = new Anthropic()
 * console.log((await client.messages.countTokens(request)).input_tokens > 5) // true
 * const { content } = await client.messages.create({ ...request, max_tokens: 100 })
 * console.log(content[0]?.type === 'text' && content[0].text) // 6 * 7 = 42
 * ```
 */
export class Messages {
  static readonly Batches: typeof Batches = Batches

  readonly batches: Batches
  readonly #client: ResourceClient

  constructor(client: ResourceClient) {
    this.#client = client
    this.batches = new Batches(client)
  }

  /**
   * Requests one reply: a `Message`, or its events with `stream: true`. A reply that could take longer than ten minutes is
   * streamed internally and still returned as one message, unless `timeout` is set.
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
  create(params: MessageCreateParams & HeaderParams, options?: RequestOptions | null): APIPromise<unknown> {
    if (params?.stream)
      return this.events(params, options).map(streamWith(options?.abortedLoops ?? this.#client.abortedLoops))
    const timeout = options?.timeout ?? this.#client.givenTimeout
    if (options?.recover)
      return this.events(params, options).map(async (source) => (await loadStreaming()).collect(source))
    if (timeout === undefined && typeof params?.max_tokens === 'number' && params.max_tokens > mostUnstreamedTokens) {
      const streams = loadStreaming()
      return this.#streamed(params, options, async (response, request) =>
        withIds(await (await streams).collectMessage(response, request), response),
      )
    }
    this.#warn(params)
    return requestObject<Message>(this.#client, 'post', '/v1/messages', toBodyAndOptions(params, options))
  }

  /**
   * Requests one reply and parses its text by `output_config.format`. Rejects with an `AnthropicError` if the text does not
   * match the format.
   */
  parse<const Params extends ParseableParams & HeaderParams>(
    params: Params & { stream?: false },
    options?: RequestOptions,
  ): APIPromise<ParsedMessage<ParsedOf<Params>>> {
    return this.create(params as MessageCreateParamsNonStreaming & HeaderParams, options).map(async (message) => {
      const { parseMessage } = await import('../stream/events/parsed-output.ts')
      return parseMessage(message, params, this.#client.log)
    })
  }

  /** Requests one reply and streams it: events to loop over or to listen to, and the complete message at the end. */
  stream<const Params extends ParseableParams & HeaderParams>(
    params: Params,
    options?: RequestOptions | null,
  ): MessageStream<ParsedOf<Params>> {
    const events = this.events(params as MessageStreamParams & HeaderParams, options)
      .map(async (source) => {
        if (!params?.output_config?.format && !params?.output_format) return source
        const { withParsedOutput } = await import('../stream/events/parsed-output.ts')
        return withParsedOutput(source, params, this.#client.log)
      })
      .suppressUnhandled()
    return new MessageStream(events, events, params?.messages)
  }

  /** @internal */
  get client(): ResourceClient {
    return this.#client
  }

  /** Counts the tokens of a prompt without sending it to a model. */
  countTokens(
    params: MessageCountTokensParams & HeaderParams,
    options?: RequestOptions | null,
  ): APIPromise<MessageTokensCount> {
    return requestObject(this.#client, 'post', '/v1/messages/count_tokens', toBodyAndOptions(params, options))
  }

  /**
   * The events of a reply in batches. `create` and `stream` are built on it.
   *
   * @internal
   */
  events(params: MessageStreamParams & HeaderParams, given?: RequestOptions | null): APIPromise<MessageEvents> {
    const options = given ?? {}
    const { recover, pings = false } = options
    const streams = loadStreaming()
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

  #warn(params: MessageStreamParams): void {
    // The models that may need a warning; the code that is loaded then knows which do.
    if (params?.model?.match?.(/mythos|opus-4-[56]|sonnet-4-5/))
      void uncommonParts().then(({ warnOfModel }) => warnOfModel(params, this.#client.log))
  }

  #streamed<Result>(
    params: MessageStreamParams & HeaderParams,
    options: RequestOptions | null | undefined,
    parse: Parse<Result>,
    failure?: Error,
  ): APIPromise<Result> {
    this.#warn(params)
    const settled = toBodyAndOptions({ ...params, stream: true } as HeaderParams, options)
    return this.#client.sendRequest(requestTo('post', '/v1/messages', { ...settled, stream: true }), parse, failure)
  }
}

/**
 * A longer reply is streamed, because proxies and load balancers cut silent connections: at the API's own estimate of the
 * slowest speed, 128,000 tokens an hour, it may take more than ten minutes.
 */
const mostUnstreamedTokens = 21_333

// A function of its own: a closure in `create()` would keep the parameters for as long as the stream.
function streamWith(abortedLoops: AbortedLoops | undefined): (source: MessageEvents) => Promise<unknown> {
  return async (source) => (await loadStreaming()).sourceStream(source, abortedLoops)
}
