// Answers the tests' clients by an engine, without a port. It has no tests of its own.
import { accumulate } from '../protocol/codec/accumulate.ts'
import type { Engine } from '../protocol/types/engine.ts'
import { APIError } from '../protocol/types/error.ts'
import { apiError, errorResponse } from '../protocol/types/error-response.ts'
import type { MessageCreateParams } from '../protocol/types/params.ts'
import { encodeSse } from '../protocol/codec/sse.ts'
import { Anthropic } from './client.ts'
import type { ClientOptions } from './options.ts'

/** A request as it came over the wire. */
export interface WireParams extends MessageCreateParams {
  /** The values of the `anthropic-beta` header. */
  betas: string[]
}

/** A client of the engine. Each request is kept as it came. */
export function clientOf(engine: Engine, options: ClientOptions = {}): { client: Anthropic; requests: WireParams[] } {
  const requests: WireParams[] = []
  const fetch = async (
    _url: unknown,
    init?: { body?: unknown; headers?: HeadersInit; signal?: AbortSignal | null },
  ) => {
    const { betas: _, ...params } = JSON.parse(init!.body as string) as WireParams
    const betas = (new Headers(init!.headers).get('anthropic-beta') ?? '').split(',').filter(Boolean)
    requests.push({ ...params, betas })
    const events = engine(params, { betas })
    try {
      if (params.stream) return await streamed(events)
      return Response.json(await accumulate(events), { headers: { 'request-id': `req_${requests.length}` } })
    } catch (error) {
      const failure = error instanceof APIError ? error : apiError('api_error', String(error))
      const { status, headers, body } = errorResponse(failure, `req_${requests.length}`)
      return Response.json(body, { status, headers })
    }
  }
  const client = new Anthropic({
    apiKey: 'key',
    baseURL: 'http://engine.test',
    maxRetries: 0,
    fetch,
    ...options,
  })
  return { client, requests }
}

/** A failure before the first event is thrown; one after it ends the body without `message_stop`. */
async function streamed(events: ReturnType<Engine>): Promise<Response> {
  const iterator = events[Symbol.asyncIterator]()
  let next = await iterator.next()
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (next.done) return controller.close()
      controller.enqueue(encoder.encode(encodeSse(next.value)))
      next = await iterator.next().catch(() => ({ done: true, value: undefined }) as const)
    },
    async cancel() {
      await iterator.return?.()
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'request-id': 'req_stream' } })
}
