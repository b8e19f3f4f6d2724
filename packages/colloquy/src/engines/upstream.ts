import type { Engine, EngineContext } from '../protocol/types/engine.ts'
import { APIConnectionError } from '../protocol/types/error.ts'
import type { MessageStreamEvent, PingEvent } from '../protocol/types/event.ts'
import type { MessageCountTokensParams, MessageCreateParams, MessageTokensCount } from '../protocol/types/params.ts'
import { abortError, throwIfAborted } from './clock.ts'

/**
 * What an upstream needs of a client: this library's, or the official one. Their types say the same in other words, so
 * what goes in and comes out is left open here and named in `Messages`.
 */
export interface UpstreamClient {
  messages: {
    create(params: never, options?: UpstreamRequestOptions): PromiseLike<unknown>
    countTokens(params: never, options?: UpstreamRequestOptions): PromiseLike<MessageTokensCount>
  }
}

interface Messages {
  create(
    params: MessageCreateParams & { stream: true },
    options?: UpstreamRequestOptions,
  ): PromiseLike<AsyncIterable<MessageStreamEvent | PingEvent>>
  countTokens(params: MessageCountTokensParams, options?: UpstreamRequestOptions): PromiseLike<MessageTokensCount>
}

export interface UpstreamRequestOptions {
  signal?: AbortSignal
  headers?: Record<string, string>
  recover?: { attempts: number }
}

export interface UpstreamOptions {
  /** Goes on with a stream that breaks off, so often at most. This library's client can. Default: a break is an error. */
  recover?: { attempts: number } | undefined
}

/**
 * A client as an engine: each request goes to the API that the client talks to, with the betas and the version it came
 * with. Errors come back unchanged; a stream that ends before `message_stop` is an `APIConnectionError`.
 */
export function upstream(client: UpstreamClient, { recover }: UpstreamOptions = {}): Engine {
  const messages = client.messages as Messages

  async function* ask(
    params: MessageCreateParams,
    context: EngineContext = {},
  ): AsyncGenerator<MessageStreamEvent | PingEvent> {
    const { signal } = context
    throwIfAborted(signal)
    const events = await messages.create(
      { ...params, stream: true },
      { ...optionsOf(context), ...(recover && { recover }) },
    )
    for await (const event of events) {
      yield event
      // Whatever the socket does now, the message is whole.
      if (event.type === 'message_stop') return
    }
    // Some clients end an aborted stream silently.
    if (signal?.aborted) throw abortError(signal)
    throw new APIConnectionError({ message: 'The stream ended before the message was complete.' })
  }

  async function countTokens(
    params: MessageCountTokensParams,
    context: EngineContext = {},
  ): Promise<MessageTokensCount> {
    return messages.countTokens(params, optionsOf(context))
  }

  return Object.assign(ask, { countTokens })
}

/** Another name of `upstream`. */
export const engineOf: typeof upstream = upstream

function optionsOf({ signal, betas, version }: EngineContext): UpstreamRequestOptions {
  const headers: Record<string, string> = {}
  if (betas?.length) headers['anthropic-beta'] = betas.join(',')
  if (version) headers['anthropic-version'] = version
  return signal ? { headers, signal } : { headers }
}
