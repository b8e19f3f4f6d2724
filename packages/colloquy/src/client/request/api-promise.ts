import { isObject } from '../../protocol/json/json-object.ts'
import { APIUserAbortError } from '../../protocol/types/error.ts'
import type { TransportResponse } from '../transport/transport.ts'
import type { Cancellable } from './cancellation.ts'
import { uncommonParts } from './prepare.ts'
import { parseBody, withIds, withResponse, type WithResponse } from './response.ts'
import type { RetryingRequest } from './retrying-request.ts'

/** A result with the ids of its response, which loops over its fields and `JSON.stringify` leave out. */
export type WithIds<Result> = Result extends readonly unknown[] | AsyncIterable<unknown>
  ? Result
  : Result extends object
    ? Result & { readonly _request_id?: string | null; readonly _workspace_id?: string | null }
    : Result

/**
 * The promise of a request's result. The request is sent at once; the body is read when the caller waits for the result.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 *
 * const { data, response } = await new Anthropic().models.list().withResponse()
 * console.log(response.status, data.hasNextPage()) // 200 false
 * ```
 */
export class APIPromise<Result> extends Promise<WithIds<Result>> implements Cancellable {
  /** @internal This promise, in objects that inherit from it too, as LangSmith makes them. */
  declare readonly self: this
  readonly #request: RetryingRequest
  readonly #sent: Promise<TransportResponse>
  readonly #read: (response: TransportResponse) => Promise<Result>
  #result: Promise<Result> | undefined
  #isWatched = false

  // `then` makes an ordinary promise.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  /** The promise itself, or one around a promise that a function of the program made, whose request `request` cancels. */
  static from<Result>(promise: Promise<Result>, request: Cancellable): APIPromise<Result> {
    if (promise instanceof APIPromise) return promise
    return new APIPromise(request as RetryingRequest, (result: unknown) => result as never, promise as never)
  }

  constructor(
    request: RetryingRequest,
    read: (response: TransportResponse) => Promise<Result>,
    sent: Promise<TransportResponse> = request.send(),
  ) {
    super((resolve) => resolve(undefined as WithIds<Result>))
    // Not printed.
    void Object.defineProperty(this, 'self', { value: this })
    this.#request = request
    this.#read = read
    this.#sent = sent
    sent.catch((error: unknown) => {
      // Nothing waits for the result: a failure must still show, while an abort was intended.
      if (!this.#isWatched && !(error instanceof APIUserAbortError)) throw error
    })
  }

  /** Ends the request, whatever it is doing. */
  cancel(error: Error): void {
    this.self.#request.cancel(error)
  }

  /**
   * The rest of `totalTimeout` in milliseconds; 0 if there is no limit.
   *
   * @internal
   */
  get remainingMs(): number {
    const { endsAt } = this.self.#request
    return endsAt === Infinity ? 0 : Math.max(endsAt - performance.now(), 1)
  }

  /**
   * Keeps a failure for a caller that waits later, instead of reporting it as unhandled.
   *
   * @internal
   */
  suppressUnhandled(): this {
    this.self.#isWatched = true
    return this
  }

  /** The same request with its result changed. The official name, which tracers call. */
  _thenUnwrap<Mapped>(change: (result: Result) => Mapped | Promise<Mapped>): APIPromise<Mapped> {
    const { self } = this
    self.#isWatched = true
    return new APIPromise(self.#request, async () => change(await self.#readOnce()), self.#sent)
  }

  /** The response itself, its body not yet read. */
  async asResponse(): Promise<Response> {
    const { self } = this
    self.#isWatched = true
    const { handOver } = await uncommonParts()
    return handOver(await self.#sent, (target) => self.#request.lend(target))
  }

  /** The result, and the response that it came with. */
  async withResponse(): Promise<WithResponse<Result>> {
    const { self } = this
    return withResponse(await self.#readOnce(), self.#request.response!)
  }

  override then<Fulfilled = WithIds<Result>, Rejected = never>(
    onFulfilled?: ((value: WithIds<Result>) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    // The ids were put on the result when it was read.
    return (this.self.#readOnce() as Promise<WithIds<Result>>).then(onFulfilled, onRejected)
  }

  #readOnce(): Promise<Result> {
    this.#isWatched = true
    return (this.#result ??= this.#sent.then(this.#read))
  }
}

/**
 * Reads a response as a JSON object. An error that a gateway sent with a success status is thrown. An empty body is null if it
 * may be empty: some servers say no more of what they deleted.
 */
export async function readObject(
  response: TransportResponse,
  request: RetryingRequest,
  mayBeEmpty?: boolean,
): Promise<object> {
  const value = await parseBody(await request.readText(response), response)
  const error = isResult(value) ? undefined : (await uncommonParts()).wrongResult(value, response, mayBeEmpty)
  if (error) throw error
  request.finish()
  return withIds((value ?? null) as object, response)
}

/** Whether a value is surely a result, as it is an object with an id and without an error. */
function isResult(value: unknown): boolean {
  return isObject(value) && 'id' in value && !('error' in value)
}
