import type { APIPromise } from '../request/api-promise.ts'
import { requestTo, type FinalRequestOptions, type RequestOptions } from '../request/options.ts'
import type { Overridable } from './overridable.ts'

// The methods of `Overridable` are added when they are needed.
const Base = Object as unknown as typeof Overridable

/** The methods of a client that send a request of one HTTP method. */
export abstract class HttpMethods extends Base {
  abstract request<Result>(options: FinalRequestOptions): APIPromise<Result>

  /** Sends a GET request to a path of the API. */
  get<Result>(path: string, options?: RequestOptions | null): APIPromise<Result> {
    return this.request(requestTo('get', path, options))
  }

  /** Sends a POST request to a path of the API. */
  post<Result>(path: string, options?: RequestOptions | null): APIPromise<Result> {
    return this.request(requestTo('post', path, options))
  }

  /** Sends a PUT request to a path of the API. */
  put<Result>(path: string, options?: RequestOptions | null): APIPromise<Result> {
    return this.request(requestTo('put', path, options))
  }

  /** Sends a PATCH request to a path of the API. */
  patch<Result>(path: string, options?: RequestOptions | null): APIPromise<Result> {
    return this.request(requestTo('patch', path, options))
  }

  /** Sends a DELETE request to a path of the API. */
  delete<Result>(path: string, options?: RequestOptions | null): APIPromise<Result> {
    return this.request(requestTo('delete', path, options))
  }
}
