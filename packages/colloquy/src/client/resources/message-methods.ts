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
import { APIPromise, readObject } from '../request/api-promise.ts'
import { CancelRelay } from '../agents/cancel-relay.ts'
import { Resource } from './resource.ts'
import { requestObject, type ResourceClient } from './resource-client.ts'
import { Batches } from './batches.ts'
import { type HeaderParams, toBodyAndOptions } from '../request/request.ts'
import type { MessageEvents } from '../stream/events/message-events.ts'
import { loadStreaming, MessageStream } from '../stream/message-stream.ts'
import { uncommonParts } from '../request/prepare.ts'
import { ownOptions, requestTo, type AbortedLoops, type RequestOptions } from '../request/options.ts'
import type { Parse } from '../request/retrying-request.ts'
import type { SendResume } from '../stream/resume/resuming-events.ts'
import type { Stream } from '../stream/stream.ts'

/** The methods of `client.messages` and `client.beta.messages`. Two classes, as tracers replace methods of each. */
export class MessageMethods extends Resource {
  static readonly Batches: typeof Batches = Batches

  readonly batches: Batches = new Batches(this.client)

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
    const client = this.client
    const own = ownOptions(options)
    if (params?.stream || own.recover)
      return openEvents(client, params, own)._thenUnwrap(
        readAs(params?.stream, own.abortedLoops ?? client.abortedLoops),
      )
    const timeout = own.timeout ?? client.givenTimeout
    if (timeout === undefined && typeof params?.max_tokens === 'number' && params.max_tokens > mostUnstreamedTokens) {
      const streams = loadStreaming()
      return sendStreamed(client, params, own, async (response, request) =>
        (await streams).collectMessage(response, request),
      )
    }
    return send(client, params, own, readObject as Parse<Message>)
  }

  /**
   * Requests one reply and parses its text by `output_config.format`. Rejects with an `AnthropicError` if the text does not
   * match the format.
   */
  parse<const Params extends ParseableParams & HeaderParams>(
    params: Params & { stream?: false },
    options?: RequestOptions,
  ): APIPromise<ParsedMessage<ParsedOf<Params>>> {
    const relay = new CancelRelay(options)
    const reply = this.create(params as MessageCreateParamsNonStreaming & HeaderParams, relay.options)
    return APIPromise.from(reply, relay)._thenUnwrap(async (message) => {
      const { parseMessage } = await import('../stream/events/parsed-output.ts')
      return parseMessage(message, params, this.client.log)
    })
  }

  /** Requests one reply and streams it: events to loop over or to listen to, and the complete message at the end. */
  stream<const Params extends ParseableParams & HeaderParams>(
    params: Params,
    options?: RequestOptions | null,
  ): MessageStream<ParsedOf<Params>> {
    const { log } = this.client
    const events = this.events(params as MessageStreamParams & HeaderParams, options)
      ._thenUnwrap(async (source) => (await loadStreaming()).parsedEvents(source, params, log))
      .suppressUnhandled()
    return new MessageStream(events, events, params?.messages)
  }

  /** Counts the tokens of a prompt without sending it to a model. */
  countTokens(
    params: MessageCountTokensParams & HeaderParams,
    options?: RequestOptions | null,
  ): APIPromise<MessageTokensCount> {
    return requestObject(this.client, 'post', '/v1/messages/count_tokens', toBodyAndOptions(params, options))
  }

  /**
   * The events of a reply in batches. `stream()` and threads are built on it, and it on `create()`, so that a function that
   * the program has put in its place, as tracers do, takes part in every reply.
   *
   * @internal
   */
  events(params: MessageStreamParams & HeaderParams, options?: RequestOptions | null): APIPromise<MessageEvents> {
    const relay = new CancelRelay(options)
    const created = this.create({ ...params, stream: true }, relay.options)
    return APIPromise.from(created, relay)._thenUnwrap(async (stream) =>
      (await loadStreaming()).eventsOf(stream, created),
    )
  }
}

function openEvents(
  client: ResourceClient,
  params: MessageStreamParams & HeaderParams,
  options: RequestOptions,
): APIPromise<MessageEvents> {
  const { recover, pings } = options
  const streams = loadStreaming()
  const open: Parse<MessageEvents> = async (response, request) =>
    (await streams).openEvents(response, request, { pings })
  const events = sendStreamed(client, params, options, open)
  if (!recover) return events
  const resend: SendResume = (params, failure) =>
    sendStreamed(client, params, { ...options, totalTimeout: events.remainingMs }, open, failure)
  return events._thenUnwrap(async (source) => (await streams).resumingEvents(source, params, recover, resend))
}

function sendStreamed<Result>(
  client: ResourceClient,
  params: MessageStreamParams & HeaderParams,
  options: RequestOptions | null | undefined,
  parse: Parse<Result>,
  failure?: Error,
): APIPromise<Result> {
  return send(client, { ...params, stream: true }, { ...options, stream: true }, parse, failure)
}

function send<Result>(
  client: ResourceClient,
  params: MessageCreateParams & HeaderParams,
  options: RequestOptions | null | undefined,
  parse: Parse<Result>,
  failure?: Error,
): APIPromise<Result> {
  // The models that may need a warning; the code that is loaded then knows which do.
  if (params?.model?.match?.(/mythos|opus-4-[56]|sonnet-4-5/))
    void uncommonParts().then(({ warnOfModel }) => warnOfModel(params, client.log))
  const request = requestTo('post', '/v1/messages', toBodyAndOptions(params, options))
  const sent = client.sendRequest(request, parse, failure)
  void CancelRelay.in(options)?.follow(sent)
  return sent
}

/**
 * A longer reply is streamed, because proxies and load balancers cut silent connections: at the API's own estimate of the
 * slowest speed, 128,000 tokens an hour, it may take more than ten minutes.
 */
const mostUnstreamedTokens = 21_333

// A function of its own: a closure in `create()` would keep the parameters for as long as the stream.
function readAs(
  isStream: boolean | undefined,
  abortedLoops: AbortedLoops | undefined,
): (source: MessageEvents) => Promise<unknown> {
  return async (source) => (await loadStreaming()).readEvents(source, isStream, abortedLoops)
}
