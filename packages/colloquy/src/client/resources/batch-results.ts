import type { MessageBatch, MessageBatchIndividualResponse } from '../../protocol/types/resources/batch.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import type { RequestOptions } from '../request/options.ts'
import { pathOf } from '../request/request.ts'
import { sourceStream } from '../stream/source-stream.ts'
import type { Stream } from '../stream/stream.ts'
import { JsonLines } from './json-lines.ts'
import type { ResourceClient } from './resource-client.ts'

/** The results of a batch, one by one as they arrive. */
export function resultsOf(
  client: ResourceClient,
  id: unknown,
  { results_url: url, processing_status: status }: MessageBatch,
  options: RequestOptions | null | undefined,
): PromiseLike<Stream<MessageBatchIndividualResponse>> {
  if (!url) {
    throw new AnthropicError(
      `Cannot read the results of batch ${String(id)}: it has no results_url, its status is ${status}`,
    )
  }
  const path = isOnHostOf(client, url) ? url : pathOf('/v1/messages/batches', id, '/results')
  return client.sendRequest({ ...options, method: 'get', path }, async (response, request) =>
    sourceStream<MessageBatchIndividualResponse>(new JsonLines(response, request, path)),
  )
}

/** Whether a URL is on the host of the client, for which its key is meant. */
function isOnHostOf({ baseURL }: ResourceClient, url: string): boolean {
  const { origin } = new URL(baseURL)
  return new URL(url, origin).origin === origin
}
