import type { AgentClient } from '../agents/tool-runner-state.ts'
import { readObject, type APIPromise } from '../request/api-promise.ts'
import { requestTo, type AbortedLoops, type FinalRequestOptions, type RequestOptions } from '../request/options.ts'
import type { Parse } from '../request/retrying-request.ts'
import type { PagePromise } from './page.ts'

/** The part of the client that its resources use. */
export interface ResourceClient extends AgentClient {
  readonly baseURL: string
  readonly abortedLoops: AbortedLoops | undefined
  /** The `timeout` that the caller set; undefined if it is the default. */
  readonly givenTimeout: number | undefined
  list<Item>(path: string, query: Record<string, unknown>, options?: RequestOptions | null): PagePromise<Item>
  /** Sends a request and reads its response with `parse`. After a `failure`, waits first as a retry does. */
  sendRequest<Result>(options: FinalRequestOptions, parse: Parse<Result>, failure?: Error): APIPromise<Result>
}

/** Sends a request whose response is a JSON object, or may be empty if it deletes something. */
export function requestObject<Result extends object>(
  client: ResourceClient,
  method: FinalRequestOptions['method'],
  path: string,
  options: RequestOptions | null | undefined,
): APIPromise<Result> {
  const parse: Parse<object> = (response, request) => readObject(response, request, method === 'delete')
  return client.sendRequest(requestTo(method, path, options), parse as Parse<Result>)
}
