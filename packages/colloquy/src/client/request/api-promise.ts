import { APIUserAbortError } from '../../protocol/types/error.ts'
import { withResponse, type Parse, type WithResponse } from './reply.ts'
import type { Call, Cancellable } from './retry.ts'
import type { Reply } from '../transport/transport.ts'

/** A result with the ids of its answer, where no loop over its fields sees them. */
export type WithIds<Result> = Result extends readonly unknown[] | AsyncIterable<unknown>
  ? Result
  : Result extends object
    ? Result & { readonly _request_id?: string | null; readonly _workspace_id?: string | null }
    : Result

/** The promise of a call's result. The request is under way at once; the body is read when somebody waits for the result. */
export class APIPromise<Result> extends Promise<WithIds<Result>> implements Cancellable {
  readonly #call: Call
  readonly #opened: Promise<Reply>
  readonly #parse: Parse<Result>
  #result: Promise<Result> | undefined
  #watched = false

  // What `then` makes is an ordinary promise.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  constructor(call: Call, parse: Parse<Result>, opened: Promise<Reply> = call.open()) {
    super((resolve) => resolve(undefined as WithIds<Result>))
    this.#call = call
    this.#parse = parse
    this.#opened = opened
    opened.catch((error: unknown) => {
      // Nobody waits: a failure must still show, while an abort was somebody's wish.
      if (!this.#watched && !(error instanceof APIUserAbortError)) throw error
    })
  }

  /** Ends the call, whatever it is doing. */
  cancel(error: Error): void {
    this.#call.cancel(error)
  }

  /** What is left of `totalTimeout`; 0 where there is none. */
  get remainingMs(): number {
    const { endsAt } = this.#call
    return endsAt === Infinity ? 0 : Math.max(endsAt - performance.now(), 1)
  }

  /** Keeps a failure for whoever waits later, instead of reporting that nobody does. */
  quietly(): this {
    this.#watched = true
    return this
  }

  /** The same call with its result made into another. */
  map<Mapped>(change: (result: Result) => Mapped | Promise<Mapped>): APIPromise<Mapped> {
    this.#watched = true
    return new APIPromise(this.#call, async () => change(await this.#read()), this.#opened)
  }

  /** The answer itself, its body not yet read. */
  async asResponse(): Promise<Response> {
    this.#watched = true
    return (await this.#opened).response()
  }

  /** The result, and the answer that it came with. */
  async withResponse(): Promise<WithResponse<Result>> {
    return withResponse(await this.#read(), this.#call.reply!)
  }

  override then<Fulfilled = WithIds<Result>, Rejected = never>(
    onFulfilled?: ((value: WithIds<Result>) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    // Where the result is an object, its ids were put on it when it was read.
    return (this.#read() as Promise<WithIds<Result>>).then(onFulfilled, onRejected)
  }

  #read(): Promise<Result> {
    this.#watched = true
    return (this.#result ??= this.#opened.then((reply) => this.#parse(this.#call, reply)))
  }
}
