import type { Engine, EngineContext, Forwarded, ForwardRequest } from '../protocol/types/engine.ts'
import { AnthropicError, APIConnectionError } from '../protocol/types/error.ts'
import type { MessageStreamEvent, PingEvent } from '../protocol/types/event.ts'
import type { MessageCountTokensParams, MessageCreateParams, MessageTokensCount } from '../protocol/types/params.ts'
import type { ModelInfo } from '../protocol/types/resources/model.ts'
import { checkOptions, count, type Rule } from './check-options.ts'
import { abortError, throwIfAborted } from './clock.ts'
import type * as forwarding from './forward/forward.ts'

/**
 * The part of a client that an upstream uses, of this library's or the official one. The two declare the same parameters and
 * results with different types, so they are left open here and specified in `Messages`.
 */
export interface UpstreamClient {
  messages: {
    /** Sends a request. */
    create(params: never, options?: UpstreamRequestOptions): PromiseLike<unknown>
    /** Counts the tokens of a prompt. */
    countTokens(params: never, options?: UpstreamRequestOptions): PromiseLike<MessageTokensCount>
  }
  models?: {
    /** Lists the models, page by page. */
    list(params: never, options?: UpstreamRequestOptions): unknown
  }
}

interface Messages {
  create(
    params: MessageCreateParams & { stream: true },
    options?: UpstreamRequestOptions,
  ): PromiseLike<AsyncIterable<MessageStreamEvent | PingEvent>>
  countTokens(params: MessageCountTokensParams, options?: UpstreamRequestOptions): PromiseLike<MessageTokensCount>
}

interface Models {
  list(params: { limit: number }, options?: UpstreamRequestOptions): AsyncIterable<ModelInfo>
}

export interface UpstreamRequestOptions {
  signal?: AbortSignal
  headers?: Record<string, string>
  recover?: { attempts: number }
}

export interface UpstreamOptions {
  /** How often to resume a stream that breaks off, with this library's client. Default: a break is an error. */
  recover?: { attempts: number } | undefined
}

const rules = {
  recover: {
    must: 'an object with attempts, a whole number from 0 on',
    holds: (value) => count.holds((value as UpstreamOptions['recover'])?.attempts),
  },
} satisfies Record<keyof UpstreamOptions, Rule>

/**
 * Makes an engine from a client. Each request is sent to the client's API, with its betas and version; `listModels()` asks
 * it too. Errors are thrown unchanged. A stream that ends before `message_stop` is an `APIConnectionError`.
 *
 * With this library's client, a server in front of the engine forwards requests and responses as bytes (`Engine.forward`).
 *
 * @example
 * ```ts
 * import { createServer } from '@colloquy/server'
 * import { listen } from '@colloquy/server/node'
 * import Anthropic from 'colloquy'
 * import { upstream } from 'colloquy/engines'
 *
 * // A proxy: its clients need no key of the API.
 * const { url, close } = await listen(createServer({ engine: upstream(new Anthropic()) }), { port: 0 })
 * console.log(new URL(url).hostname) // 127.0.0.1
 * await close()
 * ```
 */
export function upstream(client: UpstreamClient, options: UpstreamOptions = {}): Engine {
  checkOptions(options, rules, 'upstream()')
  if (typeof (client as Partial<UpstreamClient> | undefined)?.messages?.create !== 'function')
    throw new AnthropicError('Cannot use upstream(): its client has no messages.create(). Pass new Anthropic().')
  const { recover } = options
  const messages = client.messages as Messages

  async function* request(
    params: MessageCreateParams,
    context: EngineContext = {},
  ): AsyncGenerator<MessageStreamEvent | PingEvent> {
    const { signal } = context
    throwIfAborted(signal)
    const sent = messages.create({ ...params, stream: true }, { ...optionsOf(context), ...(recover && { recover }) })
    const events = await withHeaders(sent, context)
    for await (const event of events) {
      yield event
      // The message is complete, whatever the connection does now.
      if (event.type === 'message_stop') return
      // Further events may have arrived with this one.
      throwIfAborted(signal)
    }
    // Some clients end an aborted stream without an error.
    if (signal?.aborted) throw abortError(signal)
    throw new APIConnectionError({ message: 'The stream ended before the message was complete.' })
  }

  async function countTokens(
    params: MessageCountTokensParams,
    context: EngineContext = {},
  ): Promise<MessageTokensCount> {
    return withHeaders(messages.countTokens(params, optionsOf(context)), context)
  }

  async function listModels(context: EngineContext = {}): Promise<ModelInfo[]> {
    throwIfAborted(context.signal)
    const listed: ModelInfo[] = []
    for await (const model of (client.models as Models).list({ limit: 1000 }, optionsOf(context))) listed.push(model)
    return listed
  }

  async function forward(sent: ForwardRequest, { signal }: EngineContext = {}): Promise<Forwarded> {
    throwIfAborted(signal)
    const { forward } = await (forwardingLoaded ??= import('./forward/forward.ts'))
    return forward(client as UpstreamClient & forwarding.ForwardingClient, sent, { signal, recover })
  }

  // Only this library's client can send bytes.
  return Object.assign(request, {
    countTokens,
    ...(client.models && { listModels }),
    ...('sendRequest' in client && { forward }),
  })
}

let forwardingLoaded: Promise<typeof forwarding> | undefined

/** Waits for the result, and reports the headers of its response if the client gives access to them. */
async function withHeaders<Result>(sent: PromiseLike<Result>, { onHeaders }: EngineContext): Promise<Result> {
  const { withResponse } = sent as { withResponse?: () => Promise<{ data: Result; response: { headers: Headers } }> }
  if (!onHeaders || !withResponse) return sent
  const { data, response } = await withResponse.call(sent)
  onHeaders(response.headers)
  return data
}

/** Another name for `upstream`. */
export const engineOf: typeof upstream = upstream

function optionsOf({ signal, betas, version }: EngineContext): UpstreamRequestOptions {
  const headers: Record<string, string> = {}
  if (betas?.length) headers['anthropic-beta'] = betas.join(',')
  if (version) headers['anthropic-version'] = version
  return signal ? { headers, signal } : { headers }
}
