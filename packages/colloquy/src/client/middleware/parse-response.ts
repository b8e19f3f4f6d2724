// Loaded when a middleware parses a response.
import { AnthropicError } from '../../protocol/types/error.ts'
import { mergeHeaders } from '../request/headers.ts'
import type { RequestOptions } from '../request/options.ts'
import { parseBody, withIds } from '../request/response.ts'
import { Stream } from '../stream/stream.ts'
import { FetchResponse } from '../transport/fetch-response.ts'

/**
 * Reads a copy of a response as the client reads it: the events of a stream, the value of JSON, or else text. The response of
 * a download is returned as it is.
 */
export async function parseResponse(response: Response, { headers }: RequestOptions): Promise<unknown> {
  if (response.bodyUsed || response.body?.locked) {
    throw new AnthropicError(
      'A middleware cannot ctx.parse() a response whose body was already consumed: parse it first, or read response.clone()',
    )
  }
  if (response.ok && mergeHeaders(headers).values['accept'] === 'application/binary') return response
  const copy = response.clone()
  const type = (copy.headers.get('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase()
  if (type === 'text/event-stream' && copy.ok) return Stream.fromSSEResponse(copy)
  if (copy.status === 204) return null
  const text = await copy.text()
  if (!/[/+]json$/.test(type)) return text
  const source = new FetchResponse(copy, copy.url)
  return withIds(await parseBody(text, source), source)
}
