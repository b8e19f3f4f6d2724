import { encodeSse } from '../../protocol/codec/sse.ts'
import { accumulate } from '../../protocol/codec/accumulate.ts'
import type { Engine, EngineContext } from '../../protocol/types/engine.ts'
import { apiError, errorResponse } from '../../protocol/types/error-response.ts'
import type { MessageStreamEvent, PingEvent } from '../../protocol/types/event.ts'
import type { MessageCountTokensParams, MessageCreateParams } from '../../protocol/types/params.ts'

import { newId } from '../id.ts'
import { countPromptTokens } from '../prompt/tokens.ts'
import { requestOf } from '../request-of.ts'
import { WireFault } from '../wire-fault.ts'

type Event = MessageStreamEvent | PingEvent

/**
 * A `fetch` for clients of the API that an engine answers, without a server and without checks of the request:
 * `new Anthropic({ fetch: engineFetch(engine), apiKey: 'any' })`.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { engineFetch, script } from 'colloquy/engines'
 *
 * const client = new Anthropic({ fetch: engineFetch(script(['Paris.'])), apiKey: 'any' })
 * const messages = [{ role: 'user' as const, content: 'What is the capital of France?' }]
 * const { content } = await client.messages.create({ model: 'claude-sonnet-4-6', max_tokens: 100, messages })
 * console.log(content[0]?.type === 'text' && content[0].text) // Paris.
 * ```
 */
export function engineFetch(engine: Engine): (input: Request | URL | string, init?: RequestInit) => Promise<Response> {
  return async (input, init) => {
    const request = requestOf(input, init)
    const requestId = newId('req_01')
    try {
      const response = await answer(engine, request)
      response.headers.set('request-id', requestId)
      return response
    } catch (error) {
      // A broken connection has no response. An aborted request rejects, as the global `fetch` does.
      if (error instanceof WireFault || request.signal.aborted) throw error
      const { status, headers, body } = errorResponse(error, requestId)
      headers.set('content-type', 'application/json')
      return new Response(JSON.stringify(body), { status, headers })
    }
  }
}

async function answer(engine: Engine, request: Request): Promise<Response> {
  const path = new URL(request.url).pathname
  const context = contextOf(request)
  if (request.method !== 'POST' || !/\/v1\/messages(?:\/count_tokens)?$/.test(path))
    throw apiError('not_found_error', 'Not found')
  const body: unknown = await request.json()
  if (path.endsWith('/count_tokens')) {
    const params = body as MessageCountTokensParams
    const count = await engine.countTokens?.(params, context)
    return Response.json(count ?? { input_tokens: countPromptTokens(params) })
  }
  const params = body as MessageCreateParams
  const events = engine(params, context)
  return params.stream ? streamed(events) : Response.json(await accumulate(events))
}

function contextOf({ headers, signal }: Request): EngineContext {
  const betas = headers.get('anthropic-beta')?.split(',')
  const version = headers.get('anthropic-version')
  return { signal, ...(betas && { betas: betas.map((beta) => beta.trim()) }), ...(version && { version }) }
}

/** Waits for the first event, so that an error before it is a response with a status. */
async function streamed(events: AsyncIterable<Event>): Promise<Response> {
  const iterator = events[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  let next: Promise<IteratorResult<Event>> | undefined = Promise.resolve(await iterator.next())
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await (next ?? iterator.next())
        next = undefined
        if (done) controller.close()
        else controller.enqueue(encoder.encode(encodeSse(value)))
      } catch (error) {
        if (error instanceof WireFault) return controller.error(error)
        controller.enqueue(encoder.encode(encodeSse(errorResponse(error, newId('req_01')).body)))
        controller.close()
      }
    },
    cancel: () => void iterator.return?.(),
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } })
}
