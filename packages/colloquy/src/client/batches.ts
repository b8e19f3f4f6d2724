import type {
  BatchCreateParams,
  DeletedMessageBatch,
  MessageBatch,
  MessageBatchIndividualResponse,
} from '../protocol/batch.ts'
import { AnthropicError } from '../protocol/error.ts'
import type { PageParams } from '../protocol/page.ts'
import type { APIPromise } from './api-promise.ts'
import type { BaseAnthropic } from './base-client.ts'
import { connectionError } from './failure.ts'
import { type CallParams, bodyAndOptions, withoutHeaders } from './call-params.ts'
import type { RequestOptions } from './options.ts'
import type { PagePromise } from './page.ts'
import { pathOf } from './request.ts'
import { Stream } from './stream.ts'
import type { Reply } from './transport.ts'

const path = '/v1/messages/batches'

/** `client.messages.batches`: many requests at half the price, answered within a day. */
export class Batches {
  readonly #client: BaseAnthropic

  constructor(client: BaseAnthropic) {
    this.#client = client
  }

  /** Hands in the requests; the batch begins at once. */
  create(params: BatchCreateParams & CallParams, options: RequestOptions = {}): APIPromise<MessageBatch> {
    return this.#client.post(path, bodyAndOptions(params, options))
  }

  /** How far the batch is. */
  retrieve(id: string, params: CallParams | null = {}, options: RequestOptions = {}): APIPromise<MessageBatch> {
    return this.#client.get(pathOf(path, id), optionsOf(params, options))
  }

  /** The batches, newest first. A loop over the result asks for further pages by itself. */
  list(params: (PageParams & CallParams) | null = {}, options: RequestOptions = {}): PagePromise<MessageBatch> {
    return this.#client.list(path, ...withoutHeaders(params ?? {}, options))
  }

  /** Ends a batch before its time. Requests that are being answered are still finished, and billed. */
  cancel(id: string, params: CallParams | null = {}, options: RequestOptions = {}): APIPromise<MessageBatch> {
    return this.#client.post(pathOf(path, id, '/cancel'), optionsOf(params, options))
  }

  /** Deletes a batch that has ended. */
  delete(id: string, params: CallParams | null = {}, options: RequestOptions = {}): APIPromise<DeletedMessageBatch> {
    return this.#client.delete(pathOf(path, id), optionsOf(params, options))
  }

  /** The answers of a batch that has ended, one by one as they arrive, in any order. */
  async results(
    id: string,
    params: CallParams | null = {},
    options: RequestOptions = {},
  ): Promise<Stream<MessageBatchIndividualResponse>> {
    const batch = await this.retrieve(id, params, options)
    if (!batch.results_url) {
      throw new AnthropicError(
        `Cannot read the results of batch ${id}: it has no results_url, its status is ${batch.processing_status}`,
      )
    }
    const settled = optionsOf(params, options)
    return this.#client.request({ ...settled, method: 'get', path: batch.results_url }, async (call, reply) => {
      call.settle()
      const controller = new AbortController()
      controller.signal.addEventListener('abort', () => reply.cancel(controller.signal.reason as Error), { once: true })
      return new Stream(() => jsonLines<MessageBatchIndividualResponse>(reply, batch.results_url!), controller)
    })
  }
}

function optionsOf(params: CallParams | null, options: RequestOptions): RequestOptions {
  const { body: _, ...settled } = bodyAndOptions(params ?? {}, options)
  return settled
}

/** The values of a JSON Lines body as they arrive. Leaving the loop early closes the connection. */
async function* jsonLines<Item>(reply: Reply, url: string): AsyncGenerator<Item> {
  const decoder = new TextDecoder()
  let rest = ''
  let number = 0
  try {
    while (true) {
      const chunk = await readFrom(reply, url)
      const lines = (rest + (chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode())).split('\n')
      rest = chunk ? lines.pop()! : ''
      for (const line of lines) {
        number++
        if (line.trim()) yield parseLine(line, number, url)
      }
      if (!chunk) return
    }
  } finally {
    reply.cancel(new Error('The results are not read on'))
  }
}

async function readFrom(reply: Reply, url: string): Promise<Uint8Array | undefined> {
  try {
    return await reply.read()
  } catch (error) {
    throw connectionError(url, error)
  }
}

function parseLine<Item>(line: string, number: number, url: string): Item {
  try {
    return JSON.parse(line) as Item
  } catch (cause) {
    throw new AnthropicError(`Cannot read line ${number} of ${url} as JSON: found ${line.slice(0, 60)}`, { cause })
  }
}
