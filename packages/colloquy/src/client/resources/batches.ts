import type {
  BatchCreateParams,
  DeletedMessageBatch,
  MessageBatch,
  MessageBatchIndividualResponse,
} from '../../protocol/types/resources/batch.ts'
import type { PageParams } from '../../protocol/types/resources/page.ts'
import type { APIPromise } from '../request/api-promise.ts'
import { Resource } from './resource.ts'
import { requestObject } from './resource-client.ts'
import { type HeaderParams, optionsWith, splitHeaderParams, toBodyAndOptions } from '../request/request.ts'
import type { RequestOptions } from '../request/options.ts'
import type { PagePromise } from './page.ts'
import { pathOf } from '../request/request.ts'
import type { Stream } from '../stream/stream.ts'

const path = '/v1/messages/batches'

/**
 * `client.messages.batches`: many requests at half the price, processed within a day.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 *
 * const client = new Anthropic()
 * const messages = [{ role: 'user' as const, content: 'What is 6 * 7?' }]
 * const requests = [{ custom_id: 'sum', params: { model: 'claude-sonnet-4-6', max_tokens: 100, messages } }]
 * const { id } = await client.messages.batches.create({ requests })
 * // Later, when `processing_status` is `ended`:
 * for await (const { custom_id, result } of await client.messages.batches.results(id)) console.log(custom_id, result.type)
 * ```
 */
export class Batches extends Resource {
  /** Creates a batch, which begins at once. */
  create(params: BatchCreateParams & HeaderParams, options?: RequestOptions | null): APIPromise<MessageBatch> {
    return requestObject(this.client, 'post', path, toBodyAndOptions(params, options))
  }

  /** The state of a batch. */
  retrieve(id: string, params?: HeaderParams | null, options?: RequestOptions | null): APIPromise<MessageBatch> {
    return requestObject(this.client, 'get', pathOf(path, id), optionsWith(params, options))
  }

  /** The batches, newest first. A loop over the result requests further pages as needed. */
  list(params?: (PageParams & HeaderParams) | null, options?: RequestOptions | null): PagePromise<MessageBatch> {
    return this.client.list(path, ...splitHeaderParams(params, options))
  }

  /** Cancels a batch. Requests that are being processed are still completed and billed. */
  cancel(id: string, params?: HeaderParams | null, options?: RequestOptions | null): APIPromise<MessageBatch> {
    return requestObject(this.client, 'post', pathOf(path, id, '/cancel'), optionsWith(params, options))
  }

  /** Deletes a batch that has ended. */
  delete(id: string, params?: HeaderParams | null, options?: RequestOptions | null): APIPromise<DeletedMessageBatch> {
    return requestObject(this.client, 'delete', pathOf(path, id), optionsWith(params, options))
  }

  /** The results of a batch that has ended, one by one as they arrive, in any order. */
  async results(
    id: string,
    params?: HeaderParams | null,
    options?: RequestOptions | null,
  ): Promise<Stream<MessageBatchIndividualResponse>> {
    const batch = await this.retrieve(id, params, options)
    const { resultsOf } = await import('./batch-results.ts')
    return resultsOf(this.client, id, batch, optionsWith(params, options))
  }
}
