import type { FinalRequestOptions } from '../request/options.ts'
import { uncommonParts } from '../request/prepare.ts'
import { withIds } from '../request/response.ts'
import type { RetryingRequest } from '../request/retrying-request.ts'
import type { TransportResponse } from '../transport/transport.ts'
import { openEvents } from './events/response-events.ts'
import { sourceStream } from './source-stream.ts'

/**
 * Reads the response of a request that the program made itself: as a stream if it asked for one, as JSON if the response says
 * that it is JSON, else as text.
 */
export async function readAny(
  response: TransportResponse,
  request: RetryingRequest,
  { stream, abortedLoops }: Pick<FinalRequestOptions, 'stream' | 'abortedLoops'>,
): Promise<unknown> {
  if (stream) return sourceStream(await openEvents(response, request, {}), abortedLoops)
  const text = await request.readText(response)
  const isJson = /json/i.test(response.header('content-type') ?? '')
  const value = response.status === 204 ? null : isJson ? (await uncommonParts()).readValue(text, response) : text
  request.finish()
  return withIds(value, response)
}
